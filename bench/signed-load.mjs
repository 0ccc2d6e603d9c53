// Sends signed orders over keep-alive connections of raw sockets. Every order is signed before the first is sent, so that
// the client is not what is measured. Reads one job as JSON from argv, prints the result as JSON.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { connect } from 'node:net';
import { percentile } from './http-load.mjs';

const PATH = '/v1/orders';
const HEAD_END = '\r\n\r\n';

function fingerprintOf(privateKey) {
  const bytes = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x, 'base64url');
  return createHash('sha256').update(bytes).digest('base64').slice(0, 43);
}

/** Orders that end at once: half of them take a unit of what rests, half find nothing at their price. */
function orderAt(index, { withIds, name }) {
  const isTaker = index % 2 === 0;
  return {
    market_id: 'text-standard',
    side: 'buy',
    type: 'limit',
    time_in_force: 'ioc',
    quantity: isTaker ? 1 : 2 + (index % 500),
    price: isTaker ? `0.${2500 + ((index / 2) % 900)}` : `0.${1100 + (Math.floor(index / 500) % 900)}`,
    ...(withIds ? { client_order_id: `${name}-${index}` } : {}),
  };
}

function prepare({ keys, count, withIds, name }, host) {
  const signers = keys.map((pem) => {
    const key = createPrivateKey(pem);
    return { key, fingerprint: fingerprintOf(key) };
  });
  const requests = [];
  for (let index = 0; index < count; index += 1) {
    const { key, fingerprint } = signers[index % signers.length];
    // Copies of a signed request are answered once: two orders alike are signed for different seconds.
    const timestamp = Math.floor(Date.now() / 1000) - (index % 10);
    const body = JSON.stringify(orderAt(index, { withIds, name }));
    const signature = sign(null, Buffer.from(`${timestamp}POST${PATH}${body}`), key).toString('base64');
    requests.push(
      `POST ${PATH} HTTP/1.1\r\nhost: ${host}\r\nx-thegrid-timestamp: ${timestamp}\r\nx-thegrid-fingerprint: ${fingerprint}\r\nx-thegrid-signature: ${signature}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }
  return requests;
}

function runConnection(target, nextRequest, result) {
  return new Promise((resolve) => {
    const socket = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    socket.setEncoding('latin1');
    let text = '';
    let sentAt = 0;
    const send = () => {
      const request = nextRequest();
      if (request === undefined) {
        socket.destroy();
        return;
      }
      text = '';
      sentAt = performance.now();
      socket.write(request, 'latin1');
    };
    socket.on('connect', send);
    socket.on('data', (data) => {
      text += data;
      const end = text.indexOf(HEAD_END);
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (text.length - end - HEAD_END.length < length) return;
      const status = text.slice(9, 12);
      result.latencies.push(performance.now() - sentAt);
      result.statuses[status] = (result.statuses[status] ?? 0) + 1;
      if (status !== '201') result.sample ??= text.slice(end, end + 300);
      send();
    });
    socket.on('error', () => {
      result.errors += 1;
    });
    socket.on('close', resolve);
  });
}

const job = JSON.parse(process.argv[2]);
const target = new URL(job.url);
const requests = prepare(job, target.host);
const result = { errors: 0, statuses: {}, latencies: [], sample: undefined };
const startedAt = performance.now();
let next = 0;
const nextRequest = () => {
  if (performance.now() - startedAt > job.seconds * 1000) return undefined;
  next += 1;
  return requests[next - 1];
};
await Promise.all(Array.from({ length: job.connections }, () => runConnection(target, nextRequest, result)));
const seconds = (performance.now() - startedAt) / 1000;
const { latencies, ...rest } = result;
const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => percentile(latencies, share));
process.stdout.write(JSON.stringify({ ...rest, done: latencies.length, seconds, p50, p99, p999 }));
