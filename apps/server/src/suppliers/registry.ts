import type { ExchangeEvent } from '@opengrid/exchange';
import { type GridError, GridFailure, gridError } from '@opengrid/wire';
import { newId } from '../ids.ts';
import type { Endpoint, EndpointCapabilities, SupplierDirectory, SupplierSummary } from '../ports/supply.ts';
import type { Sequencer } from '../sequencer/types.ts';
import type { Database } from '../store/database.ts';
import { parseBaseUrl } from './base-url.ts';
import {
  type EndpointRow,
  extendEndpoint,
  insertEndpoint,
  readEndpoints,
  readSuppliers,
  type SealedCredential,
  type SupplierRow,
  toEndpoint,
} from './rows.ts';
import { hintOf, type Vault } from './vault.ts';

/** Opens an account that a supplier trades and is paid with. */
export type OpenAccount = (account: { email: string; name: string }) => Promise<{ accountNumber: number }>;

export interface RegistryDeps {
  readonly database: Database;
  readonly sequencer: Sequencer;
  readonly vault: Vault;
  readonly openAccount: OpenAccount;
  readonly clock?: () => number;
}

export interface NewSupplier {
  readonly name: string;
  readonly baseUrl: string;
  /** `openai` when left out. */
  readonly wire?: Endpoint['wire'];
  /** How the credential is sent; what is usual on the wire when left out. */
  readonly authStyle?: Endpoint['authStyle'] | undefined;
  readonly credential: string | null;
  readonly upstreamModel: string;
  /** Public name of the model; the upstream's own when left out. */
  readonly servedModel?: string | undefined;
  readonly region?: string | null | undefined;
  readonly capabilities: EndpointCapabilities;
  readonly maxConcurrency: number;
  readonly instruments: readonly number[];
  readonly isBuiltin?: boolean;
}

/** One offer to rest on a book. */
export interface Offer {
  readonly instrumentNo: number;
  readonly quantityUnits: number;
  readonly priceTicks: number;
}

export interface EndpointView {
  readonly endpointId: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly wire: Endpoint['wire'];
  readonly servedModel: string;
  readonly state: string;
  readonly credentialHint: string | null;
  readonly instruments: readonly number[];
}

export interface SupplierView extends SupplierSummary {
  readonly isBuiltin: boolean;
  readonly endpoints: readonly EndpointView[];
}

const MAX_ORDER_UNITS = 10_000;

/** Suppliers and endpoints: rows in the store, looked up in memory. */
export class SupplierRegistry implements SupplierDirectory {
  private readonly deps: RegistryDeps;
  private readonly clock: () => number;
  private suppliers: SupplierRow[] = [];
  private rows: EndpointRow[] = [];
  private readonly byInstrument = new Map<number, Endpoint[]>();

  private constructor(deps: RegistryDeps) {
    this.deps = deps;
    this.clock = deps.clock ?? Date.now;
  }

  static async open(deps: RegistryDeps): Promise<SupplierRegistry> {
    const registry = new SupplierRegistry(deps);
    await registry.reload();
    return registry;
  }

  /** Reads everything anew, after a change or when another process made one. */
  async reload(): Promise<void> {
    this.suppliers = await readSuppliers(this.deps.database);
    this.rows = await readEndpoints(this.deps.database);
    this.byInstrument.clear();
    for (const row of this.rows) {
      const supplier = this.suppliers.find((item) => item.supplier_id === row.supplier_id);
      if (supplier === undefined || supplier.status !== 'approved' || row.state !== 'qualified') continue;
      const endpoint = toEndpoint(row, supplier, this.deps.vault);
      for (const instrumentNo of row.instruments) {
        const endpoints = this.byInstrument.get(instrumentNo) ?? [];
        this.byInstrument.set(instrumentNo, [...endpoints, endpoint]);
      }
    }
  }

  endpointsFor(instrumentNo: number): readonly Endpoint[] {
    return this.byInstrument.get(instrumentNo) ?? [];
  }

  supplier(supplierId: string): SupplierSummary | undefined {
    return this.summary(this.suppliers.find((item) => item.supplier_id === supplierId));
  }

  supplierByAccount(accountNumber: number): SupplierSummary | undefined {
    return this.summary(this.suppliers.find((item) => item.account_number === accountNumber));
  }

  builtin(): SupplierSummary | undefined {
    return this.summary(this.suppliers.find((item) => item.is_builtin));
  }

  list(): SupplierView[] {
    return this.suppliers.map((supplier) => ({
      ...this.summary(supplier)!,
      isBuiltin: supplier.is_builtin,
      endpoints: this.rows
        .filter((row) => row.supplier_id === supplier.supplier_id)
        .map((row) => ({
          endpointId: row.endpoint_id,
          name: row.name,
          baseUrl: row.base_url,
          wire: row.wire,
          servedModel: row.served_model,
          state: row.state,
          credentialHint: row.credential_hint,
          instruments: row.instruments,
        })),
    }));
  }

  /**
   * Adds an endpoint, and the supplier with an account of its own when there is none of that name. The endpoint is waived
   * and in service at once. An endpoint that the supplier has for the same model at the same address serves the new
   * instruments as well, with the new credential where one is given.
   * @throws GridFailure validation_failed, supplier_not_approved
   */
  async add(input: NewSupplier): Promise<{ supplier: SupplierSummary; endpointId: string }> {
    const url = parseBaseUrl(input.baseUrl, { allowPrivate: true });
    if (!url.ok) throw new GridFailure(url.error);
    const existing = this.suppliers.find((item) => item.display_name === input.name);
    if (existing !== undefined) assertOpen(existing);
    const supplierId = existing?.supplier_id ?? (await this.create(input));
    const known = this.rows.find(
      (row) =>
        row.supplier_id === supplierId &&
        row.base_url === url.value &&
        row.wire === (input.wire ?? 'openai') &&
        row.upstream_model === input.upstreamModel,
    );
    const endpointId = known?.endpoint_id ?? newId('endpoint', this.clock());
    const credential = this.seal(input.credential, endpointId);
    const { instruments } = input;
    const nowMs = this.clock();
    await this.deps.database.transaction(async (store) => {
      if (known !== undefined) await extendEndpoint(store, { endpointId, credential, instruments, nowMs });
      else {
        const baseUrl = url.value;
        await insertEndpoint(store, {
          ...endpointFields(input),
          endpointId,
          supplierId,
          baseUrl,
          credential,
          nowMs,
        });
      }
    });
    await this.reload();
    return { supplier: this.supplier(supplierId)!, endpointId };
  }

  /**
   * Issues the units of an offer, moves them to trading and rests them on the book.
   * @throws GridFailure validation_failed, and what the rules of the market refuse, such as market_not_open
   */
  async offer(supplierId: string, offer: Offer): Promise<string[]> {
    const supplier = this.supplier(supplierId);
    if (supplier === undefined) throw new GridFailure(gridError('not_found'));
    const account = supplier.accountNumber;
    const { instrumentNo: instrument, quantityUnits } = offer;
    await this.submit({ kind: 'issue', account, instrument, quantityUnits });
    await this.submit({ kind: 'transfer_issued', account, instrument, quantityUnits });
    const orders: string[] = [];
    for (let left = quantityUnits; left > 0; left -= MAX_ORDER_UNITS) {
      const placed = await this.submit({
        kind: 'place_order',
        account,
        instrument,
        side: 'sell',
        type: 'limit',
        quantityUnits: Math.min(left, MAX_ORDER_UNITS),
        priceTicks: offer.priceTicks,
        timeInForce: 'gtc',
      });
      assertAccepted(placed.outcome.events);
      if (placed.orderId !== undefined) orders.push(placed.orderId);
    }
    return orders;
  }

  /** Points the built-in supplier's endpoint at where it runs this time, or takes it out of service. */
  async setBuiltin(running: { baseUrl: string; apiKey: string } | undefined): Promise<void> {
    const supplier = this.builtin();
    if (supplier === undefined) return;
    for (const row of this.rows.filter((item) => item.supplier_id === supplier.supplierId)) {
      const sealed = running === undefined ? null : this.deps.vault.seal(running.apiKey, row.endpoint_id);
      await this.deps.database.query({
        text: `update endpoints set base_url = coalesce($2, base_url), credential_ciphertext = $3, state = $4,
                 updated_at_ms = $5 where endpoint_id = $1`,
        values: [
          row.endpoint_id,
          running?.baseUrl ?? null,
          sealed,
          running === undefined ? 'paused' : 'qualified',
          this.clock(),
        ],
      });
    }
    await this.reload();
  }

  /** Takes every endpoint of a supplier out of service, or puts it back. */
  async setPaused(supplierId: string, { isPaused }: { isPaused: boolean }): Promise<void> {
    if (this.supplier(supplierId) === undefined) throw new GridFailure(gridError('not_found'));
    await this.deps.database.query({
      text: `update endpoints set state = $2, updated_at_ms = $3
             where supplier_id = $1 and state in ('qualified', 'paused')`,
      values: [supplierId, isPaused ? 'paused' : 'qualified', this.clock()],
    });
    await this.reload();
  }

  private seal(credential: string | null, endpointId: string): SealedCredential | null {
    if (credential === null) return null;
    return { sealed: this.deps.vault.seal(credential, endpointId), hint: hintOf(credential) };
  }

  private async create(input: NewSupplier): Promise<string> {
    const supplierId = newId('supplier', this.clock());
    const { accountNumber } = await this.deps.openAccount({
      email: `${supplierId}@supplier.invalid`,
      name: input.name,
    });
    await this.deps.database.query({
      text: `insert into suppliers (supplier_id, account_number, display_name, status, is_managed, is_builtin,
               created_at_ms, updated_at_ms) values ($1, $2, $3, 'approved', false, $4, $5, $5)`,
      values: [supplierId, accountNumber, input.name, input.isBuiltin ?? false, this.clock()],
    });
    await this.reload();
    return supplierId;
  }

  private async submit(
    command: Parameters<Sequencer['submit']>[0],
  ): Promise<Extract<Awaited<ReturnType<Sequencer['submit']>>, { ok: true }>> {
    const result = await this.deps.sequencer.submit(command);
    if (result.ok) return result;
    throw new GridFailure(gridError(refusalCode(result.code)));
  }

  private summary(row: SupplierRow | undefined): SupplierSummary | undefined {
    if (row === undefined) return undefined;
    return {
      supplierId: row.supplier_id,
      accountNumber: row.account_number,
      displayName: row.display_name,
      status: row.status,
      isManaged: row.is_managed,
    };
  }
}

function endpointFields(input: NewSupplier) {
  const { name, upstreamModel, capabilities, maxConcurrency, instruments } = input;
  const servedModel = input.servedModel ?? upstreamModel;
  const region = input.region ?? null;
  const wire = input.wire ?? 'openai';
  const authStyle = input.authStyle ?? (wire === 'anthropic' ? 'x-api-key' : 'bearer');
  return {
    wire,
    authStyle,
    name,
    upstreamModel,
    servedModel,
    region,
    capabilities,
    maxConcurrency,
    instruments,
  };
}

/** The built-in supplier's endpoint follows the process that runs it, so nothing else may be attached to it. */
function assertOpen(supplier: SupplierRow): void {
  if (supplier.is_builtin) {
    const fields = { name: ['is the name of the built-in supplier'] };
    throw new GridFailure(gridError('validation_failed', { fields }));
  }
  if (supplier.status !== 'approved') throw new GridFailure(gridError('supplier_not_approved'));
}

/** Orders that the rules of a market refuse are recorded as rejected, so acceptance alone does not mean that they rest. */
function assertAccepted(events: readonly ExchangeEvent[]): void {
  const rejected = events.find((event) => event.type === 'order' && event.status === 'rejected');
  if (rejected?.type !== 'order') return;
  const { reason } = rejected;
  const isMarketRule = reason === 'price_outside_collar' || reason === 'open_order_limit';
  const isClosed = reason === 'market_halted' || reason === 'market_closed';
  const code = isMarketRule ? reason : isClosed ? 'market_not_open' : 'validation_failed';
  throw new GridFailure(gridError(code));
}

/** Refusals of the exchange that a supplier's own commands can meet, in the words of the catalogue. */
function refusalCode(code: string): GridError['code'] {
  if (code === 'insufficient_balance' || code === 'market_not_found' || code === 'account_suspended')
    return code;
  return code === 'market_not_open' ? 'market_not_open' : 'validation_failed';
}
