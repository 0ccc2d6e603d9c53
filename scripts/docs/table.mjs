/** A Markdown table with aligned columns, as the formatter of this repository leaves it. */
export function table(head, rows) {
  const widths = head.map((title, index) =>
    Math.max(3, title.length, ...rows.map((cells) => cells[index].length)),
  );
  const line = (cells) => `| ${cells.map((cell, index) => cell.padEnd(widths[index])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
