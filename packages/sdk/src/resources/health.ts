import type { RequestOptions, Transport } from '../internal/transport.ts';
import type { DataEnvelope, OpenEnum, Timestamp } from './common.ts';

/** State of the installation. */
export type Health = {
  status: 'ok' | 'fail';
  service: OpenEnum<'trading'>;
  version: string;
  time: Timestamp;
};

/** `/v1/health`. */
export class HealthResource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async retrieve(options?: RequestOptions): Promise<Health> {
    return (await this.#transport.get<DataEnvelope<Health>>('/v1/health', undefined, options)).data;
  }
}
