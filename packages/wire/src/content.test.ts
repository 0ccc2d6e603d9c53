import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Content, openContent } from './content.ts';
import * as index from './index.ts';

const SECRET = 'canary-7f3a';

describe('Content', () => {
  const content = Content.of({ text: SECRET });

  it('prints as a placeholder on every path that makes text', () => {
    const prints = [
      String(content),
      `${content}`,
      JSON.stringify({ nested: [content] }),
      inspect(content),
      inspect({ deep: { content } }, { depth: null, showHidden: true }),
      inspect(content, { customInspect: false, showHidden: true, getters: true }),
      Object.keys(content).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(content)),
      JSON.stringify({ ...content }),
      new Error(String(content)).message,
      String(Object.entries(content)),
    ];
    for (const print of prints) expect(print).not.toContain(SECRET);
    expect(String(content)).toBe('[content]');
    expect(JSON.stringify({ content })).toBe('{"content":"[content]"}');
    expect(inspect(content)).toBe('[content]');
  });

  it('loses its value in a structured clone, so that no worker message carries it', () => {
    expect(JSON.stringify(structuredClone(content))).not.toContain(SECRET);
  });

  it('gives the value back, untouched, to openContent only', () => {
    const value = { text: SECRET };
    expect(openContent(Content.of(value))).toBe(value);
    expect(Object.keys(index)).not.toContain('openContent');
    expect(Object.keys(index)).toContain('Content');
  });

  it('refuses to open what is no content', () => {
    const impostor = JSON.parse('{}') as Content;
    expect(() => openContent(impostor)).toThrow(TypeError);
  });

  it('is refused by the types that loggers and writers take', () => {
    // @ts-expect-error content is not text
    const text: string = content;
    // @ts-expect-error content is not a log field
    const fields: Record<string, string | number | boolean | null> = { content };
    // @ts-expect-error a look-alike is not content
    const lookAlike: Content = { toString: () => '', toJSON: () => '', [inspect.custom]: () => '' };
    expect([text, fields, lookAlike]).toHaveLength(3);
  });
});
