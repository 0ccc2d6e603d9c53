import type { AccountNotice, CommittedBatch } from '../../../sequencer/types.ts';
import { AccountFeed, type AccountFeedContext } from './account-feed.ts';

interface Entry {
  /** Undefined until the exchange was not ahead of the store. */
  feed: AccountFeed | undefined;
  readonly loaded: Promise<AccountFeed>;
  users: number;
}

const RETRY_MS = 50;

/** The feeds of accounts that somebody listens to. A feed is there while it is used. */
export class AccountFeeds {
  private readonly context: AccountFeedContext;
  private readonly entries = new Map<number, Entry>();
  /** What waits for a moment at which the exchange is not ahead of the store. */
  private waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(context: AccountFeedContext) {
    this.context = context;
    context.sequencer.onCommitted((batch) => this.follow(batch));
  }

  /** The feed of an account, once it knows everything up to the last commit. Must be released, unless it rejects. */
  async open(account: number): Promise<AccountFeed> {
    const entry = this.entries.get(account) ?? this.start(account);
    entry.users += 1;
    return entry.loaded;
  }

  release(account: number): void {
    const entry = this.entries.get(account);
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users <= 0) this.entries.delete(account);
  }

  /** Gives a fresh start to whoever lagged and has caught up. Called several times a second. */
  recover(): void {
    for (const { feed } of this.entries.values()) feed?.recover();
  }

  close(): void {
    clearTimeout(this.timer);
    this.entries.clear();
    this.waiting = [];
  }

  private start(account: number): Entry {
    const loaded = new Promise<AccountFeed>((resolve, reject) => {
      this.whenDurable(() => {
        const feed = new AccountFeed(this.context, account);
        entry.feed = feed;
        const published = (): Promise<void> => new Promise((done) => this.whenDurable(done));
        feed.load(published).then(
          () => resolve(feed),
          (error: unknown) => {
            if (this.entries.get(account) === entry) this.entries.delete(account);
            reject(error);
          },
        );
      });
    });
    const entry: Entry = { feed: undefined, loaded, users: 0 };
    this.entries.set(account, entry);
    return entry;
  }

  private get isDurable(): boolean {
    const { exchange, status } = this.context.sequencer;
    return exchange.lastSeq === status.committedSeq;
  }

  /** Runs it now or, while a commit is on its way, right when that is published. */
  private whenDurable(act: () => void): void {
    // In the next turn, so that whoever waits has its entry; between turns a batch may have begun.
    this.waiting.push(act);
    queueMicrotask(() => this.runWaiting());
  }

  private runWaiting(): void {
    if (this.waiting.length === 0) return;
    if (this.isDurable) {
      for (const act of this.waiting.splice(0)) act();
      return;
    }
    // A commit that fails publishes nothing: then the state is looked at again.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.runWaiting(), RETRY_MS);
    this.timer.unref();
  }

  private follow({ entries, notices }: CommittedBatch): void {
    if (this.entries.size > 0) {
      for (const committed of entries) {
        for (const account of this.concerned(committed))
          this.guarded(() => this.entries.get(account)?.feed?.follow(committed));
      }
      this.followNotices(notices);
    }
    this.runWaiting();
  }

  /** A fault with one account must not silence the others. Its own clients see the gap in their numbers. */
  private guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.context.telemetry.fault('account feed', error);
    }
  }

  /** Accounts with a feed that a commit has something for. */
  private concerned({ accountEvents, outcome }: CommittedBatch['entries'][number]): Set<number> {
    const accounts = new Set<number>();
    for (const { account } of accountEvents) if (this.entries.has(account)) accounts.add(account);
    // Deliveries move balances that are told later.
    if (accountEvents.length === 0) {
      for (const { account } of outcome.legs) if (this.entries.has(account)) accounts.add(account);
    }
    return accounts;
  }

  private followNotices(notices: readonly AccountNotice[]): void {
    const byAccount = new Map<number, AccountNotice[]>();
    for (const notice of notices) {
      if (!this.entries.has(notice.account)) continue;
      const own = byAccount.get(notice.account) ?? [];
      own.push(notice);
      byAccount.set(notice.account, own);
    }
    for (const [account, own] of byAccount) this.guarded(() => this.entries.get(account)?.feed?.notice(own));
  }
}
