import { createHmac } from 'node:crypto';
import { GridFailure, gridError } from '@opengrid/wire';
import { randomHex } from '../../ids.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { type Database, StoreUnavailable } from '../../store/database.ts';
import {
  type Claim,
  type ClaimRow,
  type ClaimScope,
  type ClaimSignature,
  deleteClaim,
  deleteExpired,
  insertClaim,
  readClaim,
  releaseClaim,
  replaceClaim,
  storeAnswer,
} from './claims.ts';

/** A call that carries a key. */
export interface KeyedRequest {
  readonly accountNumber: number;
  readonly method: string;
  /** Without prefix aliases and query, so that every spelling of a route is one scope. */
  readonly path: string;
  readonly key: string;
  readonly query: string;
  readonly body: Buffer;
  readonly signature?: ClaimSignature | undefined;
  /** How long the answer is kept. */
  readonly keepMs: number;
}

/** An answer as it is sent. */
export interface KeptAnswer {
  readonly status: number;
  /** JSON text; undefined for an empty body. */
  readonly text: string | undefined;
}

/** `isUnknown`: the call may or may not have had its effect. */
export interface PerformedAnswer extends KeptAnswer {
  readonly isUnknown: boolean;
}

export interface KeyedAct {
  /** Carries the call out. */
  perform(): Promise<PerformedAnswer>;
  /** The answer of an earlier attempt whose command was recorded under this signature, if it was. */
  recover(signature: ClaimSignature): Promise<KeptAnswer | undefined>;
}

export interface IdempotencyOptions {
  readonly database: Database;
  readonly telemetry: Telemetry;
  /** Key of the hashes, from the installation's secret. */
  readonly secret: Buffer;
  /** The writer of this process: an attempt of an earlier epoch can change nothing any more. */
  readonly writer: () => { readonly isLeading: boolean; readonly epoch: number };
  readonly clock?: () => number;
  /** How long a repeat waits for the first call. */
  readonly waitMs?: number;
}

const WAIT_MS = 5_000;
const POLL_MS = 50;
/** Longer than any command may wait for the engine, so that what has not happened by then never will. */
const CLAIM_MS = 120_000;
/** Refusals of the moment: the credential, the rate, the engine. Nothing happened, and the same call may succeed later. */
const NOT_KEPT: ReadonlySet<number> = new Set([401, 429, 503]);
const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/** 24 hours, and a week where money or units move. */
export const KEEP_MS = { usual: 86_400_000, transfers: 7 * 86_400_000 } as const;

/** The header's value, or undefined when there is none. @throws GridFailure `validation_failed`. */
export function idempotencyKeyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && VISIBLE.test(header)) return header;
  const message = 'takes 1 to 255 visible ASCII characters, once';
  throw new GridFailure(
    gridError('validation_failed', {
      message: `idempotency-key: ${message}.`,
      fields: { 'idempotency-key': [message] },
    }),
  );
}

/**
 * Calls that carry an Idempotency-Key happen once: the first inserts a row and runs, repeats get its answer. The row is
 * there before the effect, and the effect's own commit records the signature that the row names, so that a crash in between
 * is told apart from a crash before.
 */
export class IdempotencyKeys {
  private readonly options: IdempotencyOptions;
  private readonly clock: () => number;
  /** Calls that this process is carrying out, by their claim. */
  private readonly running = new Map<string, Promise<unknown>>();

  constructor(options: IdempotencyOptions) {
    this.options = options;
    this.clock = options.clock ?? Date.now;
  }

  /**
   * Carries a call out, or gives the answer of the one before it.
   *
   * @throws GridFailure `idempotency_key_conflict` for another body under the key, `idempotency_in_progress` when the first
   * call still runs after five seconds, `engine_unavailable` when the store is out of reach. None of them changed anything.
   */
  async run(request: KeyedRequest, act: KeyedAct): Promise<KeptAnswer & { readonly isReplay: boolean }> {
    const claim = this.claimOf(request);
    const deadlineMs = performance.now() + (this.options.waitMs ?? WAIT_MS);
    for (;;) {
      const found = await this.take(claim);
      if (found === 'taken') return { ...(await this.perform(claim, act)), isReplay: false };
      if (found !== undefined) {
        const answer = await this.answerOf(found, claim, act);
        if (answer === 'taken') return { ...(await this.perform(claim, act)), isReplay: false };
        if (answer !== undefined) return { ...answer, isReplay: true };
        if (performance.now() >= deadlineMs)
          throw new GridFailure(gridError('idempotency_in_progress', { retryAfterSeconds: 1 }));
        await this.pause(found, deadlineMs - performance.now());
      }
    }
  }

  /** Forgets answers whose time is over. */
  async purge(): Promise<void> {
    await deleteExpired(this.options.database, this.clock());
  }

  private claimOf(request: KeyedRequest): Claim {
    const { accountNumber, method, path, key, query, body, signature, keepMs } = request;
    const nowMs = this.clock();
    return {
      accountNumber,
      scopeHmac: this.hmac([method, path, key]),
      requestHmac: this.hmac([query, body]),
      claimId: randomHex(16),
      epoch: this.options.writer().epoch,
      claimedUntilMs: nowMs + CLAIM_MS,
      signature,
      nowMs,
      expiresAtMs: nowMs + keepMs,
    };
  }

  /** Parts are told apart by their length, so that no two lists of parts have one hash. */
  private hmac(parts: readonly (string | Buffer)[]): Buffer {
    const hmac = createHmac('sha256', this.options.secret);
    for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
    return hmac.digest();
  }

  /** `taken`, or the row of whoever was first; undefined when that one gave it back in between. */
  private async take(claim: Claim): Promise<'taken' | ClaimRow | undefined> {
    const { database } = this.options;
    try {
      const isTaken = await insertClaim(database, claim);
      return isTaken ? 'taken' : await readClaim(database, claim);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw new GridFailure(gridError('engine_unavailable'));
      throw error;
    }
  }

  private async answerOf(
    row: ClaimRow,
    claim: Claim,
    act: KeyedAct,
  ): Promise<KeptAnswer | 'taken' | undefined> {
    if (!row.requestHmac.equals(claim.requestHmac))
      throw new GridFailure(gridError('idempotency_key_conflict'));
    if (row.status !== null) return { status: row.status, text: row.response ?? undefined };
    if (!this.isAbandoned(row)) return undefined;
    const recovered = await recoveredAnswer(row, act);
    if (recovered !== undefined) {
      await this.keep({ ...claim, claimId: row.claimId }, recovered);
      return recovered;
    }
    return (await replaceClaim(this.options.database, claim, row)) ? 'taken' : undefined;
  }

  /** Whether the attempt can neither answer nor change anything any more. */
  private isAbandoned(row: ClaimRow): boolean {
    if (this.running.has(row.claimId)) return false;
    const writer = this.options.writer();
    return writer.isLeading && (row.epoch < writer.epoch || row.claimedUntilMs < this.clock());
  }

  private async perform(claim: Claim, act: KeyedAct): Promise<KeptAnswer> {
    const performing = this.performAndKeep(claim, act);
    this.running.set(
      claim.claimId,
      performing.catch(() => {}),
    );
    try {
      return await performing;
    } finally {
      this.running.delete(claim.claimId);
    }
  }

  private async performAndKeep(claim: Claim, act: KeyedAct): Promise<KeptAnswer> {
    let answer: PerformedAnswer;
    try {
      answer = await act.perform();
    } catch (error) {
      await this.quietly(() => releaseClaim(this.options.database, claim));
      throw error;
    }
    // What may have happened keeps its row as it is: once the engine knows, the next call looks for its signature.
    if (answer.isUnknown) return answer;
    if (NOT_KEPT.has(answer.status)) await this.quietly(() => deleteClaim(this.options.database, claim));
    else if (answer.status < 500) await this.keep(claim, answer);
    else await this.quietly(() => releaseClaim(this.options.database, claim));
    return answer;
  }

  private async keep(claim: ClaimScope & { readonly claimId: string }, answer: KeptAnswer): Promise<void> {
    const { status, text } = answer;
    await this.quietly(() => storeAnswer(this.options.database, claim, { status, response: text ?? null }));
  }

  /** The call has had its effect: that its answer could not be kept must not turn the answer into an error. */
  private async quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.telemetry.fault('idempotency', error);
    }
  }

  private async pause(row: ClaimRow, leftMs: number): Promise<void> {
    const timeoutMs = Math.max(1, Math.min(this.running.has(row.claimId) ? leftMs : POLL_MS, leftMs));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([late, this.running.get(row.claimId) ?? late]);
    clearTimeout(timer);
  }
}

async function recoveredAnswer(row: ClaimRow, act: KeyedAct): Promise<KeptAnswer | undefined> {
  const { keyId, signatureHash: hash } = row;
  return keyId === null || hash === null ? undefined : act.recover({ keyId, hash });
}
