import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');

type Palette = Map<string, string>;

const palettes = [...css.matchAll(/\{([^{}]*--surface-0[^{}]*)\}/g)].map(
  (block): Palette =>
    new Map([...(block[1] ?? '').matchAll(/(--[\w-]+): (#[0-9a-f]{6})/g)].map((m) => [m[1]!, m[2]!])),
);

const luminance = (colour: string): number => {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return channel <= 0.040_45 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

/** Contrast ratio of WCAG 2, 1 to 21. */
const contrast = (palette: Palette, [text, surface]: [string, string]): number => {
  const lights = [text, surface].map((name) => luminance(palette.get(name) ?? '')).sort((a, b) => b - a);
  return (lights[0]! + 0.05) / (lights[1]! + 0.05);
};

const surfaces = ['--surface-0', '--surface-1', '--surface-2'];
const texts = ['--text-1', '--text-2', '--text-3', '--accent', '--buy', '--sell', '--warn'];

describe('colour tokens', () => {
  it('has dark, light by system and light by choice, the last two equal', () => {
    expect(palettes).toHaveLength(3);
    expect([...palettes[1]!]).toEqual([...palettes[2]!]);
  });

  describe.each([
    ['dark', 0],
    ['light', 1],
  ])('%s', (_name, index) => {
    const pairs = surfaces.flatMap((surface) => texts.map((text): [string, string] => [text, surface]));
    const fills: [string, string][] = [
      ['--accent-text', '--accent-fill'],
      ['--buy', '--buy-fill'],
      ['--sell', '--sell-fill'],
      ['--warn', '--warn-fill'],
      ['--text-1', '--surface-3'],
    ];
    it.each([...pairs, ...fills])('%s on %s reaches AA', (text, surface) => {
      expect(contrast(palettes[index]!, [text, surface])).toBeGreaterThanOrEqual(4.5);
    });

    it.each(surfaces)('body text on %s reaches AAA', (surface) => {
      expect(contrast(palettes[index]!, ['--text-1', surface])).toBeGreaterThanOrEqual(7);
      expect(contrast(palettes[index]!, ['--text-2', surface])).toBeGreaterThanOrEqual(7);
    });
  });
});
