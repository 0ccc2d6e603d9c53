import { PRICE_LIMIT_TICKS } from '@opengrid/exchange';
import {
  EFFORTS,
  errorHeaders,
  formatIso,
  formatMoneyMicros,
  GridFailure,
  gridError,
  httpStatusOf,
  parseMoneyMicros,
  parsePriceTicks,
  platformErrorBody,
} from '@opengrid/wire';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { newRequestId } from '../http/request-ids.ts';
import type { InstrumentCatalogue } from '../ports/catalogue.ts';
import type { RoutingMode } from '../ports/identity.ts';
import type { EndpointCapabilities } from '../ports/supply.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { EngineOverloaded, EngineUnavailable, OutcomeUnknown } from '../sequencer/types.ts';
import type { LedgerReport } from '../sequencer/verify.ts';
import { DEFAULT_CAPABILITIES, SWITCHED_CAPABILITIES } from '../suppliers/capabilities.ts';
import type { SupplierRegistry, SupplierView } from '../suppliers/registry.ts';
import type { Strike, Strikes } from '../suppliers/strikes.ts';
import { mountSigningKeys, type SigningKeyActs } from './admin-signing-keys.ts';
import { placeAdminSocket } from './admin-socket-file.ts';

/** An account as the operator sees it. */
export interface AdminAccount {
  readonly accountNumber: number;
  readonly userId: string;
  readonly email: string;
  readonly mode: 'easy' | 'advanced';
  readonly role: 'member' | 'operator';
}

export interface AdminKey {
  readonly keyId: string;
  readonly prefix: string;
  readonly name: string;
  readonly isActive: boolean;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
}

/** What the socket asks of the rooms; the composition root binds it. */
export interface AdminActs extends SigningKeyActs {
  createAccount(input: {
    email: string;
    name?: string | undefined;
    mode?: 'easy' | 'advanced' | undefined;
    role?: 'member' | 'operator' | undefined;
  }): Promise<AdminAccount>;
  /** By user id or e-mail. */
  findAccount(reference: string): Promise<AdminAccount | undefined>;
  listAccounts(): Promise<readonly AdminAccount[]>;
  setMode(account: AdminAccount, mode: 'easy' | 'advanced'): Promise<void>;
  balanceMicros(accountNumber: number): number;
  grantCredit(accountNumber: number, amountMicros: number): Promise<void>;
  createKey(
    account: AdminAccount,
    input: {
      name: string;
      scopes?: readonly string[] | undefined;
      expiresAtMs?: number | undefined;
      routingMode?: RoutingMode | undefined;
      monthlyTokenLimit?: number | undefined;
    },
  ): Promise<{ key: string; row: AdminKey }>;
  listKeys(): Promise<readonly AdminKey[]>;
  revokeKey(keyId: string): Promise<boolean>;
  verifyLedger(): Promise<LedgerReport>;
  status(): Record<string, unknown>;
}

export interface AdminSocketDeps {
  readonly dataFolder: string;
  readonly acts: AdminActs;
  readonly suppliers: SupplierRegistry;
  readonly strikes: Pick<Strikes, 'active'>;
  readonly instruments: InstrumentCatalogue;
  readonly telemetry: Telemetry;
}

/** The longest e-mail address. */
const MAX_REFERENCE_LENGTH = 254;

const NAME = z.string().trim().min(1).max(100);

const SUPPLIER = z.object({
  name: NAME,
  base_url: z.string().max(300),
  // It travels in a header, where anything else would fail every request.
  key: z
    .string()
    .max(4_096)
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')
    .optional(),
  model: NAME,
  served_model: NAME.optional(),
  dialect: z.enum(['openai', 'openai-responses', 'anthropic']),
  auth: z.enum(['bearer', 'x-api-key']).optional(),
  enable: z.array(z.enum(SWITCHED_CAPABILITIES)).max(30).default([]),
  disable: z.array(z.enum(SWITCHED_CAPABILITIES)).max(30).default([]),
  efforts: z.array(z.enum(EFFORTS)).max(10).optional(),
  thinking: z.enum(['budget', 'adaptive']).optional(),
  betas: z
    .array(z.string().regex(/^[a-z0-9-]{1,64}$/))
    .max(50)
    .optional(),
  instrument: z.string().max(64),
  price: z.union([z.string(), z.number()]),
  units: z.number().int().min(1).max(1_000_000),
  max_concurrency: z.number().int().min(1).max(100_000).default(64),
  region: z.string().max(8).optional(),
});

const ACCOUNT = z.object({
  email: z.string().max(MAX_REFERENCE_LENGTH),
  name: NAME.optional(),
  mode: z.enum(['easy', 'advanced']).optional(),
  role: z.enum(['member', 'operator']).optional(),
});

const KEY = z.object({
  account: z.string().max(MAX_REFERENCE_LENGTH),
  name: NAME,
  scopes: z.array(z.string().max(40)).max(20).optional(),
  expires_at: z.iso.datetime({ offset: true }).optional(),
  routing_mode: z.enum(['direct', 'redirect']).optional(),
  monthly_token_limit: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
});

const CREDIT = z.object({
  amount: z.union([z.string(), z.number()]),
});
const MODE = z.object({ mode: z.enum(['easy', 'advanced']) });

/**
 * The operator's commands over a unix socket that only the owner of the process can open (mode 0600): what the command
 * line uses while the program runs.
 */
export async function startAdminSocket(deps: AdminSocketDeps): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    genReqId: () => newRequestId(),
    bodyLimit: 64 * 1024,
    // Accounts may be named by their e-mail address.
    routerOptions: { maxParamLength: MAX_REFERENCE_LENGTH },
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const fault = toGridError(error, deps.telemetry);
    const body = platformErrorBody(fault, formatIso(Date.now()));
    return reply.code(httpStatusOf(fault.code, 'platform')).headers(errorHeaders(fault)).send(body);
  });
  app.setNotFoundHandler(() => {
    throw new GridFailure(gridError('not_found'));
  });
  mountSuppliers(app, deps);
  mountAccounts(app, deps);
  mountKeys(app, deps.acts);
  mountSigningKeys(app, deps.acts);
  app.get('/status', () => ({ data: deps.acts.status() }));
  app.post('/ledger/verify', async () => ({ data: await deps.acts.verifyLedger() }));
  let unlink = async (): Promise<void> => {};
  app.addHook('onClose', () => unlink());
  unlink = await placeAdminSocket(deps.dataFolder, (path) => app.listen({ path }));
  return app;
}

function toGridError(error: Error & { statusCode?: number }, telemetry: Telemetry) {
  if (error instanceof GridFailure) return error.error;
  if (error instanceof z.ZodError) {
    const issue = error.issues[0]!;
    const field = issue.path.join('.') || 'body';
    return invalid(field, issue.message).error;
  }
  if (error instanceof EngineOverloaded) return gridError('overloaded');
  if (error instanceof EngineUnavailable) return gridError('engine_unavailable');
  if (error instanceof OutcomeUnknown) return gridError('outcome_unknown');
  if (error.statusCode !== undefined && error.statusCode < 500) return gridError('invalid_request');
  telemetry.fault('admin socket', error);
  return gridError('internal_error');
}

function mountSuppliers(app: FastifyInstance, deps: AdminSocketDeps): void {
  const { suppliers, instruments } = deps;
  app.get('/suppliers', async () => {
    const strikes = await deps.strikes.active();
    const shapes = suppliers.list().map((view) => {
      const own = strikes.filter(({ supplierId }) => supplierId === view.supplierId);
      return {
        ...supplierShape(view, instruments),
        strikes: own.map((strike) => strikeShape(strike, instruments)),
      };
    });
    return { data: shapes };
  });
  app.post('/suppliers', async (request, reply) => {
    const data = await addSupplier(deps, SUPPLIER.parse(request.body));
    return reply.code(201).send({ data });
  });
  for (const act of ['pause', 'resume'] as const) {
    app.post(`/suppliers/:id/${act}`, async (request, reply) => {
      const { id } = request.params as { id: string };
      await suppliers.setPaused(id, { isPaused: act === 'pause' });
      return reply.code(204).send();
    });
  }
}

async function addSupplier(deps: AdminSocketDeps, input: z.infer<typeof SUPPLIER>): Promise<unknown> {
  const { suppliers, instruments } = deps;
  const instrument = instruments.find(input.instrument);
  if (instrument === undefined || instrument.status === 'inactive') {
    throw invalid('instrument', 'no active instrument of that name');
  }
  const priceTicks = parsePriceTicks(input.price);
  if (priceTicks === undefined || priceTicks < 1 || priceTicks >= PRICE_LIMIT_TICKS)
    throw invalid('price', 'must be USD per unit, at most 4 decimals');
  const { supplier, endpointId } = await suppliers.add({
    name: input.name,
    baseUrl: input.base_url,
    wire: input.dialect,
    authStyle: input.auth,
    credential: input.key === undefined || input.key === '' ? null : input.key,
    upstreamModel: input.model,
    servedModel: input.served_model,
    region: input.region,
    capabilities: capabilitiesOf(input),
    maxConcurrency: input.max_concurrency,
    instruments: [instrument.instrumentNo],
  });
  const orders = await suppliers.offer(supplier.supplierId, {
    instrumentNo: instrument.instrumentNo,
    quantityUnits: input.units,
    priceTicks,
  });
  const view = suppliers.list().find((item) => item.supplierId === supplier.supplierId)!;
  return { ...supplierShape(view, instruments), added_endpoint_id: endpointId, order_ids: orders };
}

/** The usual capabilities of the wire, with what the operator says of this endpoint. */
function capabilitiesOf(input: z.infer<typeof SUPPLIER>): EndpointCapabilities {
  const { dialect, enable, disable, efforts, thinking, betas } = input;
  const switched = [
    ...enable.map((name) => [name, true] as const),
    ...disable.map((name) => [name, false] as const),
  ];
  return {
    ...DEFAULT_CAPABILITIES[dialect],
    ...Object.fromEntries(switched),
    ...(efforts === undefined ? {} : { efforts }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(betas === undefined ? {} : { betaFlags: betas }),
  };
}

function invalid(field: string, message: string): GridFailure {
  const fields = { [field]: [message] };
  return new GridFailure(gridError('validation_failed', { message: `${field}: ${message}.`, fields }));
}

function strikeShape(strike: Strike, instruments: InstrumentCatalogue): Record<string, unknown> {
  return {
    strike_id: strike.strikeId,
    endpoint_id: strike.endpointId,
    instrument: instruments.byNumber(strike.instrumentNo)?.symbol ?? String(strike.instrumentNo),
    reason: strike.reason,
    request_count: strike.requestCount,
    share_percent: strike.sharePercent,
    struck_at: formatIso(strike.struckAtMs),
    expires_at: formatIso(strike.expiresAtMs),
  };
}

function supplierShape(view: SupplierView, instruments: InstrumentCatalogue): Record<string, unknown> {
  return {
    supplier_id: view.supplierId,
    display_name: view.displayName,
    status: view.status,
    is_builtin: view.isBuiltin,
    endpoints: view.endpoints.map((endpoint) => ({
      endpoint_id: endpoint.endpointId,
      name: endpoint.name,
      base_url: endpoint.baseUrl,
      dialect: endpoint.wire,
      served_model: endpoint.servedModel,
      state: endpoint.state,
      credential_hint: endpoint.credentialHint,
      instruments: endpoint.instruments.map((no) => instruments.byNumber(no)?.symbol ?? String(no)),
    })),
  };
}

function accountShape(account: AdminAccount, acts: AdminActs): Record<string, unknown> {
  return {
    user_id: account.userId,
    email: account.email,
    mode: account.mode,
    role: account.role,
    balance_usd: formatMoneyMicros(acts.balanceMicros(account.accountNumber)),
  };
}

async function accountOf(acts: AdminActs, reference: string): Promise<AdminAccount> {
  const account = await acts.findAccount(reference);
  if (account === undefined) throw new GridFailure(gridError('account_not_found'));
  return account;
}

function mountAccounts(app: FastifyInstance, { acts, suppliers }: AdminSocketDeps): void {
  app.get('/accounts', async () => ({
    data: (await acts.listAccounts()).map((account) => accountShape(account, acts)),
  }));
  app.post('/accounts', async (request, reply) => {
    const account = await acts.createAccount(ACCOUNT.parse(request.body));
    return reply.code(201).send({ data: accountShape(account, acts) });
  });
  app.post('/accounts/:id/credit', async (request) => {
    const account = await accountOf(acts, (request.params as { id: string }).id);
    const amountMicros = parseMoneyMicros(CREDIT.parse(request.body).amount);
    if (amountMicros === undefined) throw invalid('amount', 'must be USD, at most 6 decimals');
    await acts.grantCredit(account.accountNumber, amountMicros);
    return { data: accountShape(account, acts) };
  });
  app.post('/accounts/:id/mode', async (request, reply) => {
    const account = await accountOf(acts, (request.params as { id: string }).id);
    const { mode } = MODE.parse(request.body);
    // Easy mode would take the supplier's offers off the books and its unsold units out of trading.
    if (mode === 'easy' && suppliers.supplierByAccount(account.accountNumber) !== undefined)
      throw invalid('mode', 'a supplier stays in advanced mode');
    await acts.setMode(account, mode);
    return reply.code(204).send();
  });
}

function keyShape(row: AdminKey): Record<string, unknown> {
  return {
    id: row.keyId,
    key_prefix: row.prefix,
    name: row.name,
    is_active: row.isActive,
    scopes: row.scopes,
    created_at: formatIso(row.createdAtMs),
    last_used_at: row.lastUsedAtMs === null ? null : formatIso(row.lastUsedAtMs),
  };
}

function mountKeys(app: FastifyInstance, acts: AdminActs): void {
  app.get('/keys', async () => ({ data: (await acts.listKeys()).map(keyShape) }));
  app.post('/keys', async (request, reply) => {
    const input = KEY.parse(request.body);
    const { account: reference, expires_at: expiresAt, name, scopes } = input;
    const { routing_mode: routingMode, monthly_token_limit: monthlyTokenLimit } = input;
    const account = await accountOf(acts, reference);
    const expiresAtMs = expiresAt === undefined ? undefined : Date.parse(expiresAt);
    const { key, row } = await acts.createKey(account, {
      name,
      scopes,
      expiresAtMs,
      routingMode,
      monthlyTokenLimit,
    });
    return reply.code(201).send({ data: { ...keyShape(row), key } });
  });
  app.post('/keys/:id/revoke', async (request, reply) => {
    const isFound = await acts.revokeKey((request.params as { id: string }).id);
    if (!isFound) throw new GridFailure(gridError('not_found'));
    return reply.code(204).send();
  });
}
