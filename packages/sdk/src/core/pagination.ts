import { TruncatedListError } from './error.ts';

/** Where a page stands in its list. */
export type Paging = { next_cursor: string | null; prev_cursor: string | null; has_more: boolean };

/** The list envelope of Trading and of receipts. */
export type ListEnvelope<Item> = { data: Item[]; paging: Paging };

/** Reads the page after a cursor, or the first one. */
export type PageReader<Item> = (next: string | null) => Promise<ListEnvelope<Item>>;

/** One page of a cursor list. Iterating it goes on through all following pages. */
export class Page<Item> implements AsyncIterable<Item> {
  readonly data: readonly Item[];
  readonly paging: Paging;
  readonly #read: PageReader<Item>;

  constructor(envelope: ListEnvelope<Item>, read: PageReader<Item>) {
    this.data = envelope.data;
    this.paging = envelope.paging;
    this.#read = read;
  }

  /** Whether the list goes on. */
  hasNextPage(): boolean {
    return this.paging.has_more;
  }

  /**
   * Reads the next page, `null` at the end of the list.
   * @throws TruncatedListError when the server breaks its promise that a list which goes on can be followed
   */
  async nextPage(): Promise<Page<Item> | null> {
    if (!this.paging.has_more) return null;
    const cursor = this.paging.next_cursor;
    if (!cursor) throw new TruncatedListError('The list goes on but the server sent no cursor for it.');
    const envelope = await this.#read(cursor);
    // Without this check a server that repeats its cursor would keep the caller in a loop for ever.
    if (envelope.paging.has_more && envelope.paging.next_cursor === cursor) {
      throw new TruncatedListError('The server sent the same cursor twice.');
    }
    if (envelope.paging.has_more && envelope.data.length === 0) {
      throw new TruncatedListError('The server sent an empty page in the middle of a list.');
    }
    return new Page(envelope, this.#read);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for (let page: Page<Item> | null = this; page !== null; page = await page.nextPage()) yield* page.data;
  }
}

/**
 * What a list method returns: `await` it for the first page, or `for await` over it for every item of every page.
 * The request starts at once, so that two lists can be asked for side by side.
 */
export class PagePromise<Item> extends Promise<Page<Item>> implements AsyncIterable<Item> {
  // A promise made by then() is an ordinary one: only the list method itself gives something to iterate.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static read<Item>(read: PageReader<Item>): PagePromise<Item> {
    return new PagePromise((resolve, reject) => {
      read(null).then((envelope) => resolve(new Page(envelope, read)), reject);
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    yield* await this;
  }

  /** The items of all pages in one array, or the first `limit` of them. */
  async toArray(limit = Number.POSITIVE_INFINITY): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this) {
      if (items.push(item) >= limit) break;
    }
    return items.slice(0, limit);
  }
}
