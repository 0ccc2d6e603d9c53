import type { Endpoint, EndpointCapabilities, SupplierSummary } from '../ports/supply.ts';
import type { Queryable } from '../store/database.ts';
import type { Vault } from './vault.ts';

export interface SupplierRow {
  readonly supplier_id: string;
  readonly account_number: number;
  readonly display_name: string;
  readonly status: SupplierSummary['status'];
  readonly is_managed: boolean;
  readonly is_builtin: boolean;
}

export interface EndpointRow {
  readonly endpoint_id: string;
  readonly supplier_id: string;
  readonly name: string;
  readonly base_url: string;
  readonly wire: Endpoint['wire'];
  readonly auth_style: Endpoint['authStyle'];
  readonly credential_ciphertext: Buffer | null;
  readonly credential_hint: string | null;
  readonly upstream_model: string;
  readonly served_model: string;
  readonly region: string | null;
  readonly capabilities: EndpointCapabilities;
  readonly max_concurrency: number;
  readonly accepts_substitution: boolean;
  readonly substitution_price_ticks: number | null;
  readonly qualification: Endpoint['qualification'];
  readonly state: 'new' | 'qualified' | 'paused' | 'disqualified';
  readonly allow_private: boolean;
  readonly created_at_ms: number;
  readonly instruments: readonly number[];
}

export async function readSuppliers(store: Queryable): Promise<SupplierRow[]> {
  const { rows } = await store.query<SupplierRow>({
    text: `select supplier_id, account_number, display_name, status, is_managed, is_builtin from suppliers
           order by created_at_ms, supplier_id`,
    values: [],
  });
  return rows;
}

export async function readEndpoints(store: Queryable): Promise<EndpointRow[]> {
  const { rows } = await store.query<EndpointRow>({
    text: `select e.*, array(select i.instrument_no from endpoint_instruments i
             where i.endpoint_id = e.endpoint_id order by i.instrument_no) as instruments
           from endpoints e order by e.created_at_ms, e.endpoint_id`,
    values: [],
  });
  return rows;
}

/**
 * Opens the credentials that are in use once.
 * @throws VaultError when the secret is not the one they were sealed with.
 */
export async function assertCredentialsOpen(store: Queryable, vault: Vault): Promise<void> {
  for (const { state, endpoint_id, credential_ciphertext } of await readEndpoints(store))
    if (state === 'qualified' && credential_ciphertext !== null)
      vault.open(credential_ciphertext, endpoint_id);
}

/** The endpoint as the router uses it, its credential opened. */
export function toEndpoint(row: EndpointRow, supplier: SupplierRow, vault: Vault): Endpoint {
  const sealed = row.credential_ciphertext;
  return {
    endpointId: row.endpoint_id,
    supplierId: row.supplier_id,
    supplierAccount: supplier.account_number,
    supplierName: supplier.display_name,
    isManaged: supplier.is_managed,
    baseUrl: row.base_url,
    wire: row.wire,
    authStyle: row.auth_style,
    credential: sealed === null ? null : vault.open(sealed, row.endpoint_id),
    upstreamModel: row.upstream_model,
    servedModel: row.served_model,
    region: row.region,
    capabilities: row.capabilities,
    maxConcurrency: row.max_concurrency,
    substitution: { isAccepted: row.accepts_substitution, priceTicks: row.substitution_price_ticks },
    qualification: row.qualification,
    allowPrivate: row.allow_private,
  };
}

/** A credential as it is kept. */
export interface SealedCredential {
  readonly sealed: Buffer;
  readonly hint: string;
}

export interface NewEndpoint {
  readonly endpointId: string;
  readonly supplierId: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly wire: Endpoint['wire'];
  readonly authStyle: Endpoint['authStyle'];
  readonly credential: SealedCredential | null;
  readonly upstreamModel: string;
  readonly servedModel: string;
  readonly region: string | null;
  readonly capabilities: EndpointCapabilities;
  readonly maxConcurrency: number;
  readonly instruments: readonly number[];
  readonly nowMs: number;
}

/** Adds an operator's endpoint: waived, in service at once, ready to stand in for others at the going price. */
export async function insertEndpoint(store: Queryable, endpoint: NewEndpoint): Promise<void> {
  await store.query({
    text: `insert into endpoints (endpoint_id, supplier_id, name, base_url, wire, auth_style, credential_ciphertext,
             credential_hint, upstream_model, served_model, region, capabilities, max_concurrency,
             accepts_substitution, substitution_price_ticks, qualification, state, allow_private, created_at_ms,
             updated_at_ms)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, true, null, 'waived',
             'qualified', true, $14, $14)`,
    values: [
      endpoint.endpointId,
      endpoint.supplierId,
      endpoint.name,
      endpoint.baseUrl,
      endpoint.wire,
      endpoint.authStyle,
      endpoint.credential?.sealed ?? null,
      endpoint.credential?.hint ?? null,
      endpoint.upstreamModel,
      endpoint.servedModel,
      endpoint.region,
      JSON.stringify(endpoint.capabilities),
      endpoint.maxConcurrency,
      endpoint.nowMs,
    ],
  });
  await serveInstruments(store, endpoint);
}

/** Has an endpoint serve further instruments, and replaces its credential where a new one is given. */
export async function extendEndpoint(
  store: Queryable,
  endpoint: Pick<NewEndpoint, 'endpointId' | 'credential' | 'instruments' | 'nowMs'>,
): Promise<void> {
  const { endpointId, credential, nowMs } = endpoint;
  await store.query({
    text: `update endpoints set credential_ciphertext = coalesce($2, credential_ciphertext),
             credential_hint = coalesce($3, credential_hint), updated_at_ms = $4 where endpoint_id = $1`,
    values: [endpointId, credential?.sealed ?? null, credential?.hint ?? null, nowMs],
  });
  await serveInstruments(store, endpoint);
}

async function serveInstruments(
  store: Queryable,
  { endpointId, instruments }: Pick<NewEndpoint, 'endpointId' | 'instruments'>,
): Promise<void> {
  for (const instrumentNo of instruments) {
    await store.query({
      text: `insert into endpoint_instruments (endpoint_id, instrument_no) values ($1, $2)
             on conflict do nothing`,
      values: [endpointId, instrumentNo],
    });
  }
}
