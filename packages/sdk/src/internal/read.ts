import { type ListEnvelope, PagePromise } from '../core/pagination.ts';
import type { DataEnvelope } from '../resources/common.ts';
import type { Wanted } from './credentials.ts';
import type { RequestOptions, Transport } from './transport.ts';

/** What a resource reads. */
export type Reading = {
  path: string;
  query?: object | undefined;
  wants?: Wanted | undefined;
  options?: RequestOptions | undefined;
};

/** Reads one object out of its envelope. */
export const readOne = async <Data>(transport: Transport, reading: Reading): Promise<Data> =>
  (await transport.send<DataEnvelope<Data>>({ method: 'GET', ...reading })).data;

/** Reads a cursor list, page after page. */
export const readPages = <Item>(transport: Transport, reading: Reading): PagePromise<Item> =>
  PagePromise.read((next) => {
    const query = next === null ? reading.query : { ...reading.query, prev: undefined, next };
    return transport.send<ListEnvelope<Item>>({ method: 'GET', ...reading, query });
  });
