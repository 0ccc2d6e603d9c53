import { describe, expect, it } from 'vitest';
import { openContent } from '../content.ts';
import { EFFORTS, nearestEffort } from '../effort.ts';
import { fitToInstrument, type InstrumentLimits } from './instrument.ts';
import { parseChatRequest } from './request.ts';

const LIMITS: InstrumentLimits = {
  maxOutputTokens: 100,
  images: false,
  temperature: true,
  efforts: ['low', 'medium', 'high'],
  reasoningToggle: false,
};

function fit(fields: object, limits: Partial<InstrumentLimits> = {}, options = {}) {
  const text = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...fields });
  const parsed = parseChatRequest(text, options);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return fitToInstrument(parsed.value, { ...LIMITS, ...limits });
}

function fitted(fields: object, limits: Partial<InstrumentLimits> = {}) {
  const result = fit(fields, limits);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('fitToInstrument', () => {
  it('refuses more output than the instrument has, naming the field that was sent', () => {
    expect(fit({ max_tokens: 101 })).toMatchObject({ error: { code: 'invalid_value', param: 'max_tokens' } });
    expect(fit({ max_completion_tokens: 101 })).toMatchObject({ error: { param: 'max_completion_tokens' } });
    expect(fit({ max_tokens: 100 }).ok).toBe(true);
    expect(fit({}).ok).toBe(true);
  });

  it('refuses images where none are taken', () => {
    const content = [{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }];
    const messages = [{ role: 'user', content }];
    expect(fit({ messages })).toMatchObject({ error: { code: 'unsupported_value', param: 'messages' } });
    expect(fit({ messages }, { images: true }).ok).toBe(true);
  });

  it('drops a temperature that is not taken', () => {
    const { request } = fitted({ temperature: 1 }, { temperature: false });
    expect(request).not.toHaveProperty('temperature');
    expect(openContent<object>(request.body)).not.toHaveProperty('temperature');
    expect(request.ignoredParams).toEqual(['temperature']);
    expect(fitted({ temperature: 1 }).request.temperature).toBe(1);
  });

  it('maps the effort to the nearest one offered and says so', () => {
    expect(fitted({ reasoning_effort: 'max' })).toMatchObject({
      effectiveEffort: 'high',
      request: { effort: 'high' },
    });
    expect(fitted({ reasoning_effort: 'none' }).effectiveEffort).toBe('low');
    expect(fitted({ reasoning_effort: 'none' }, { reasoningToggle: true })).not.toHaveProperty(
      'effectiveEffort',
    );
    expect(fitted({ reasoning_effort: 'medium' })).not.toHaveProperty('effectiveEffort');
    expect(fitted({})).not.toHaveProperty('effectiveEffort');
  });

  it('drops an effort where none is offered', () => {
    const { request } = fitted({ reasoning_effort: 'low' }, { efforts: [] });
    expect(request.effort).toBeUndefined();
    expect(request.ignoredParams).toEqual(['reasoning_effort']);
  });

  it('refuses in strict mode what it would drop', () => {
    const strict = { strictParams: true };
    expect(fit({ temperature: 1 }, { temperature: false }, strict)).toMatchObject({
      error: { code: 'unknown_parameter', param: 'temperature' },
    });
    expect(fit({ temperature: 1 }, {}, strict).ok).toBe(true);
  });
});

describe('nearestEffort', () => {
  it('is the effort itself where offered, and the smaller of two equally near', () => {
    for (const effort of EFFORTS) expect(nearestEffort(effort, EFFORTS)).toBe(effort);
    expect(nearestEffort('medium', ['high', 'low'])).toBe('low');
    expect(nearestEffort('xhigh', ['low', 'medium', 'high', 'max'])).toBe('high');
    expect(nearestEffort('low', [])).toBeUndefined();
  });
});
