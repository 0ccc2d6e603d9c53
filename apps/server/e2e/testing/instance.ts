import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type FaultySupplier,
  type Program,
  type ProgramOptions,
  type RawResponse,
  sendRequest,
  sharedPostgres,
  startProgram,
} from '@opengrid/testing';
import { newDataFolder } from '../../src/store/testing.ts';
import { type AdminAnswer, askAdmin } from './admin.ts';

/** Where a program keeps its data: the embedded engine, or a PostgreSQL server. */
export type Engine = 'embedded' | 'server';
export const ENGINES: readonly Engine[] = ['embedded', 'server'];

export interface InstanceOptions {
  readonly engine?: Engine;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** A database that exists already, for a second program on it. */
  readonly databaseUrl?: string;
}

export interface LedgerVerdict {
  readonly ok: boolean;
  readonly commandSeq: number;
  readonly stateHash: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly violations: number }[];
}

export interface SupplierOffer {
  readonly name: string;
  readonly instrument: string;
  /** USD per unit. */
  readonly price: string;
  readonly units: number;
  readonly model?: string;
  /** Default `openai`. */
  readonly dialect?: 'openai' | 'anthropic' | 'openai-responses';
}

/** An account with a key of its own. */
export interface Buyer {
  readonly email: string;
  readonly key: string;
  readonly keyId: string;
}

const serverEntry = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** A program under test with its data, which survive restarts until `remove`. */
export class Instance {
  readonly dataFolder: string;
  readonly databaseUrl: string | undefined;
  private readonly options: InstanceOptions;
  private running: Program | undefined;
  private buyerCount = 0;
  /** What the programs before the running one wrote. */
  private earlierOutput = '';
  /** Of the demo buyer; printed at the first start only. */
  key = '';

  private constructor(dataFolder: string, databaseUrl: string | undefined, options: InstanceOptions) {
    this.dataFolder = dataFolder;
    this.databaseUrl = databaseUrl;
    this.options = options;
  }

  /** Starts a program on a store of its own, with the demo market. */
  static async start(options: InstanceOptions = {}): Promise<Instance> {
    const isServer = options.engine === 'server' || options.databaseUrl !== undefined;
    const dataFolder = isServer ? await mkdtemp(join(tmpdir(), 'opengrid-e2e-')) : await newDataFolder();
    const databaseUrl =
      options.databaseUrl ?? (isServer ? await (await sharedPostgres()).newDatabase() : undefined);
    const instance = new Instance(dataFolder, databaseUrl, options);
    await instance.launch();
    instance.key = instance.program.key ?? '';
    return instance;
  }

  get program(): Program {
    if (this.running === undefined) throw new Error('the program is not running');
    return this.running;
  }

  /** By address, so that thousands of connections need no name lookup. */
  get url(): string {
    return this.program.url.replace('//localhost:', '//127.0.0.1:');
  }

  /** Both streams of all programs that ran on these data. */
  get output(): string {
    return this.earlierOutput + (this.running?.output() ?? '');
  }

  /** Starts the program again on the same data, after it has ended. */
  async launch(more: ProgramOptions = {}): Promise<Program> {
    if (this.running !== undefined) this.earlierOutput += this.running.output();
    this.running = undefined;
    this.running = await startProgram({ ...this.programOptions(), ...more });
    return this.running;
  }

  /** How a program would be started on these data. */
  programOptions(): ProgramOptions {
    const { env = {}, args = [] } = this.options;
    const database = this.databaseUrl === undefined ? {} : { databaseUrl: this.databaseUrl };
    return { dataFolder: this.dataFolder, env, args, ...database };
  }

  /** Ends the program and removes its data. */
  async remove(): Promise<void> {
    await this.running?.kill9();
    await rm(this.dataFolder, { recursive: true, force: true });
  }

  /** A command of the operator. Throws when it is refused. */
  async admin(method: 'GET' | 'POST', path: string, body?: unknown): Promise<AdminAnswer['data']> {
    const answer = await askAdmin(this.dataFolder, { method, path, body });
    if (answer.status < 300) return answer.data;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.data)}`);
  }

  /** Adds the double as a supplier whose units rest on the book. */
  async addSupplier(double: FaultySupplier, offer: SupplierOffer): Promise<AdminAnswer['data']> {
    return this.admin('POST', '/suppliers', {
      base_url: double.baseUrl,
      key: double.apiKey,
      model: 'double',
      dialect: 'openai',
      max_concurrency: 100_000,
      ...offer,
    });
  }

  /** Opens an account with credit and a key. */
  async openBuyer(creditUsd = '25'): Promise<Buyer> {
    this.buyerCount += 1;
    const email = `buyer-${this.buyerCount}@example.org`;
    await this.admin('POST', '/accounts', { email, mode: 'easy' });
    if (creditUsd !== '0') await this.admin('POST', `/accounts/${email}/credit`, { amount: creditUsd });
    const { key, id } = await this.admin('POST', '/keys', { account: email, name: 'test' });
    return { email, key: String(key), keyId: String(id) };
  }

  /** USD of an account as a decimal string. */
  async balanceUsd(email: string): Promise<string> {
    const accounts = (await this.admin('GET', '/accounts')) as unknown as {
      email: string;
      balance_usd: string;
    }[];
    return accounts.find((account) => account.email === email)?.balance_usd ?? 'no such account';
  }

  get(path: string, key?: string): Promise<RawResponse> {
    return sendRequest({ url: this.url + path, ...(key === undefined ? {} : { key }) });
  }

  /** The receipt of a request as its buyer reads it. */
  async receipt(requestId: unknown, key = this.key): Promise<Receipt> {
    const { status, json } = await this.get(`/v1/usage/${String(requestId)}`, key);
    if (status !== 200) throw new Error(`no receipt of ${String(requestId)}: ${status}`);
    return json as Receipt;
  }

  /** Has the running program verify its ledger. */
  async verifyLedger(): Promise<LedgerVerdict> {
    return (await this.admin('POST', '/ledger/verify')) as unknown as LedgerVerdict;
  }

  /** Verifies the ledger without the program, by its own command. */
  async verifyStore(): Promise<LedgerVerdict> {
    const database = this.databaseUrl === undefined ? [] : ['--database-url', this.databaseUrl];
    const args = [serverEntry, 'ledger-verify', '--data', this.dataFolder, ...database, '--json'];
    const stdout = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, args, (error, out) => (out === '' && error ? reject(error) : resolve(out)));
    });
    return JSON.parse(stdout) as LedgerVerdict;
  }
}

/** The parts of a receipt that tests look at. */
export interface Receipt {
  readonly request_id: string;
  readonly status: string;
  readonly serving_model: string | null;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly total_tokens: number;
  };
  readonly cost: {
    readonly amount: string | null;
    readonly status: string;
    readonly breakdown: readonly Draw[];
  };
  readonly served_by: { readonly supplier: string; readonly substituted: boolean } | null;
  readonly finish_reason: string | null;
  readonly error_code: string | null;
  readonly stream: boolean;
}

export interface Draw {
  readonly lot_id: string;
  readonly trade_id: string;
  readonly unit_from: number;
  readonly unit_to: number;
  readonly supplier: string;
  readonly acquisition_price_per_unit: string;
  readonly tokens: number;
  readonly subtotal: string;
}
