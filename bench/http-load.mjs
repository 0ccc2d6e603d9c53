// A cheap HTTP/1.1 load generator over raw sockets, so that on two cores the client is not what is measured.
import { connect } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNKED_END = Buffer.from('0\r\n\r\n');

function requestBytes({ url, key, body, headers = {} }) {
  const { host, pathname } = new URL(url);
  const payload = Buffer.from(JSON.stringify(body));
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n${more.join('')}content-length: ${payload.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), payload]);
}

function bodyStart(buffer) {
  const index = buffer.indexOf(HEAD_END);
  return index === -1 ? undefined : index + HEAD_END.length;
}

/** Whether `buffer` holds one complete response. */
function isComplete(buffer, start, head) {
  const length = /content-length: (\d+)/i.exec(head);
  if (length) return buffer.length - start >= Number(length[1]);
  return buffer.subarray(-CHUNKED_END.length).equals(CHUNKED_END);
}

/** One connection that repeats the request until told to stop. */
function runConnection(target, bytes, result, isOver) {
  return new Promise((resolve) => {
    const socket = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    let parts = [];
    let start;
    let head = '';
    let sentAt = 0;
    let firstByteAt = 0;
    const send = () => {
      parts = [];
      start = undefined;
      firstByteAt = 0;
      sentAt = performance.now();
      socket.write(bytes);
    };
    socket.on('connect', send);
    socket.on('data', (data) => {
      parts.push(data);
      let buffer = parts.length === 1 ? data : undefined;
      if (start === undefined) {
        buffer ??= Buffer.concat(parts);
        start = bodyStart(buffer);
        if (start === undefined) return;
        head = buffer.subarray(0, start).toString('latin1');
      }
      if (firstByteAt === 0 && (parts.length > 1 || data.length > start)) firstByteAt = performance.now();
      const tail = data.subarray(-CHUNKED_END.length);
      const maybeDone = /content-length/i.test(head) || tail.equals(CHUNKED_END);
      if (!maybeDone) return;
      buffer ??= Buffer.concat(parts);
      if (!isComplete(buffer, start, head)) return;
      const status = Number(head.slice(9, 12));
      if (status === 200) {
        result.done += 1;
        result.firstByteMs.push(firstByteAt - sentAt);
      } else {
        result.statuses[status] = (result.statuses[status] ?? 0) + 1;
        result.sample ??= buffer.subarray(start).toString('utf8').slice(0, 300);
      }
      if (isOver()) {
        socket.destroy();
        resolve();
      } else send();
    });
    socket.on('error', () => {
      result.errors += 1;
      resolve();
    });
    socket.on('close', () => resolve());
  });
}

/** Sends requests over `connections` sockets for `seconds`. */
export async function runLoad({ url, key, body, headers, connections, seconds }) {
  const result = { done: 0, errors: 0, statuses: {}, firstByteMs: [], seconds: 0, sample: undefined };
  const bytes = requestBytes({ url, key, body, headers });
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt > seconds * 1000;
  const target = new URL(url);
  await Promise.all(Array.from({ length: connections }, () => runConnection(target, bytes, result, isOver)));
  result.seconds = (performance.now() - startedAt) / 1000;
  return result;
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0
    ? Number.NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

// As a process of its own: reads one job as JSON from argv, prints the result as JSON.
if (process.argv[2] !== undefined && import.meta.filename === process.argv[1]) {
  const result = await runLoad(JSON.parse(process.argv[2]));
  const { firstByteMs, ...rest } = result;
  const p50 = percentile(firstByteMs, 0.5);
  const p99 = percentile(firstByteMs, 0.99);
  process.stdout.write(`${JSON.stringify({ ...rest, p50, p99 })}\n`);
}
