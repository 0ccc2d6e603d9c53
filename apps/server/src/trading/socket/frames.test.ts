import { describe, expect, it } from 'vitest';
import { Broadcast } from './broadcast.ts';
import { encodePush, encodeReply, parseFrame } from './frames.ts';

const parse = (text: string, version: '1.0.0' | '2.0.0' = '1.0.0') => parseFrame(Buffer.from(text), version);

describe('frames of the socket', () => {
  it('answers a join, an authentication and a heartbeat in version 1 byte for byte as documented', () => {
    const reply = (ref: string, response: string, topic = 'ws:trading') =>
      encodeReply('1.0.0', { topic, ref, joinRef: null }, { status: 'ok', response });
    expect(reply('1', '{"challenge":"q3b0m1d8k5s7x2c9","server_time":"2026-01-01T00:00:00.000Z"}')).toBe(
      '{"topic":"ws:trading","event":"phx_reply","payload":{"status":"ok","response":{"challenge":"q3b0m1d8k5s7x2c9","server_time":"2026-01-01T00:00:00.000Z"}},"ref":"1"}',
    );
    expect(reply('2', '{"status":"ok","account_mode":"advanced","order_entry":false}')).toBe(
      '{"topic":"ws:trading","event":"phx_reply","payload":{"status":"ok","response":{"status":"ok","account_mode":"advanced","order_entry":false}},"ref":"2"}',
    );
    expect(reply('7', '{}', 'phoenix')).toBe(
      '{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"7"}',
    );
  });

  it('answers and pushes arrays in version 2', () => {
    const answered = { topic: 'ws:trading', ref: '2', joinRef: '1' };
    expect(encodeReply('2.0.0', answered, { status: 'error', response: '{"reason":"x"}' })).toBe(
      '["1","2","ws:trading","phx_reply",{"status":"error","response":{"reason":"x"}}]',
    );
    expect(encodePush('2.0.0', 'ack', '{}')).toBe('[null,null,"ws:trading","ack",{}]');
    expect(encodePush('1.0.0', 'phx_close', '{}')).toBe(
      '{"topic":"ws:trading","event":"phx_close","payload":{},"ref":""}',
    );
  });

  it('reads frames of both versions and gives refs back as they came', () => {
    const frame = { topic: 'ws:trading', event: 'phx_join', payload: {}, ref: '1', joinRef: null };
    expect(parse('{"topic":"ws:trading","event":"phx_join","payload":{},"ref":"1"}')).toEqual({
      kind: 'frame',
      frame,
    });
    expect(parse('["3","1","ws:trading","phx_join",{}]', '2.0.0')).toEqual({
      kind: 'frame',
      frame: { ...frame, joinRef: '3' },
    });
    expect(parse('{"topic":"t","event":"e","payload":{}}')).toMatchObject({ frame: { ref: null } });
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['an array in version 1', '["1","1","ws:trading","phx_join",{}]'],
    ['no event', '{"topic":"t","payload":{},"ref":"1"}'],
    ['a payload that is no object', '{"topic":"t","event":"e","payload":[],"ref":"1"}'],
    ['no payload', '{"topic":"t","event":"e","ref":"1"}'],
    ['a ref that is an object', '{"topic":"t","event":"e","payload":{},"ref":{}}'],
    ['a ref of 129 characters', `{"topic":"t","event":"e","payload":{},"ref":"${'r'.repeat(129)}"}`],
    ['a name twice', '{"topic":"t","topic":"u","event":"e","payload":{},"ref":"1"}'],
    ['another bare value', '"ping"'],
    [
      'a payload that is a number with too many digits',
      '{"topic":"t","event":"e","payload":1e400,"ref":"1"}',
    ],
  ])('takes %s for a violation', (_what, text) => {
    expect(parse(text)).toEqual({ kind: 'violation' });
  });

  it.each([
    ['too short', '["1","1","ws:trading","phx_join"]'],
    ['too long', '["1","1","ws:trading","phx_join",{},1]'],
    ['an object', '{"topic":"t","event":"e","payload":{},"ref":"1"}'],
    ['a text with a second value', '["1","1","t","e",{}],"x":[1]'],
  ])('takes an array of version 2 that is %s for a violation', (_what, text) => {
    expect(parse(text, '2.0.0')).toEqual({ kind: 'violation' });
  });

  it('tells the dialect of plain messages apart', () => {
    expect(parse('{"type":"ping"}')).toEqual({ kind: 'plain', type: 'ping' });
    expect(parse('{"type":"subscribe","channel":"x"}', '2.0.0')).toEqual({
      kind: 'plain',
      type: 'subscribe',
    });
  });

  it('serialises a message once per version and spelling', () => {
    let count = 0;
    const message = new Broadcast('new_trade', (market) => {
      count += 1;
      return `{"market_id":${JSON.stringify(market)}}`;
    });
    const frames = [1, 2, 3].map(() => message.frameFor('1.0.0', 'text-prime'));
    expect(new Set(frames).size).toBe(1);
    expect(String(message.frameFor('2.0.0', 'TEXT-prime'))).toBe(
      '[null,null,"ws:trading","new_trade",{"market_id":"TEXT-prime"}]',
    );
    expect(count).toBe(2);
  });
});
