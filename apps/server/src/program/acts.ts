import { GridFailure, type Result } from '@opengrid/wire';
import { balanceOf, grantCredit } from '../billing/credit.ts';
import type { Account, Accounts } from '../platform/accounts.ts';
import type { ConsumptionKey } from '../platform/key-table.ts';
import type { ConsumptionKeys } from '../platform/keys.ts';
import type { SigningKeyRecord, SigningKeys } from '../platform/signing-keys.ts';
import type { Sequencer } from '../sequencer/types.ts';
import { verifyLedger } from '../sequencer/verify.ts';
import type { Database } from '../store/database.ts';
import type { AdminSigningKey } from './admin-signing-keys.ts';
import type { AdminActs, AdminKey } from './admin-socket.ts';

export interface ActsDeps {
  readonly database: Database;
  readonly sequencer: Sequencer;
  readonly accounts: Accounts;
  readonly keys: ConsumptionKeys;
  readonly signingKeys: SigningKeys;
  readonly status: () => Record<string, unknown>;
}

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new GridFailure(result.error);
  return result.value;
}

function toAdminKey(key: ConsumptionKey): AdminKey {
  return {
    keyId: key.keyId,
    prefix: key.keyPrefix,
    name: key.name,
    isActive: key.isActive,
    scopes: key.scopes,
    createdAtMs: key.createdAtMs,
    lastUsedAtMs: key.lastUsedAtMs,
  };
}

function toAdminSigningKey(record: SigningKeyRecord): AdminSigningKey {
  return { ...record, publicKey: record.publicKey.toString('base64') };
}

/** Binds the operator's commands to the rooms that carry them out. */
export function bindActs(deps: ActsDeps): AdminActs {
  const { accounts, keys, signingKeys, sequencer, database } = deps;
  return {
    async createAccount({ email, name, mode, role }) {
      const given = { ...(name === undefined ? {} : { name }), ...(mode === undefined ? {} : { mode }) };
      // The operator vouches for the addresses it enters itself.
      const input = { email, ...given, ...(role === undefined ? {} : { role }), isEmailVerified: true };
      return unwrap<Account>(await accounts.create(input));
    },
    findAccount: async (reference) => accounts.find(reference),
    listAccounts: async () => accounts.list(),
    async setMode(account, mode) {
      unwrap(await accounts.setMode(account.accountNumber, mode));
    },
    balanceMicros: (accountNumber) => balanceOf(sequencer, accountNumber).availableMicros,
    grantCredit: (accountNumber, amountMicros) => grantCredit(sequencer, accountNumber, amountMicros),
    async createKey(account, { name, scopes, expiresAtMs, routingMode, monthlyTokenLimit }) {
      const created = unwrap(
        await keys.create(account.accountNumber, {
          name,
          ...(scopes === undefined ? {} : { scopes }),
          ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
          ...(routingMode === undefined ? {} : { routingMode }),
          ...(monthlyTokenLimit === undefined ? {} : { monthlyTokenLimit }),
        }),
      );
      return { key: created.key, row: toAdminKey(created.record) };
    },
    listKeys: async () => keys.list().map(toAdminKey),
    async revokeKey(keyId) {
      const result = await keys.revoke(keyId);
      return result.ok;
    },
    signingChallenge: () => signingKeys.newChallenge(),
    async registerSigningKey(accountNumber, input) {
      return toAdminSigningKey(unwrap(await signingKeys.create(accountNumber, input)));
    },
    listSigningKeys: async () => signingKeys.list().map(toAdminSigningKey),
    async revokeSigningKey(keyId) {
      const result = await signingKeys.revoke(keyId);
      return result.ok;
    },
    verifyLedger: () => verifyLedger(database),
    status: deps.status,
  };
}
