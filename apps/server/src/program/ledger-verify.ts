import { type LedgerReport, verifyLedger } from '../sequencer/verify.ts';
import { openDatabase } from '../store/open.ts';
import type { Config } from './config.ts';

function printReport(report: LedgerReport): void {
  for (const check of report.checks) {
    const mark = check.ok ? 'ok  ' : 'FAIL';
    const count = check.ok ? '' : `  (${check.violations} violations)`;
    process.stdout.write(`${mark} ${check.name}${count}\n`);
  }
  const verdict = report.ok ? 'The ledger is right' : 'The ledger is NOT right';
  process.stdout.write(
    `${verdict}: ${report.checks.length} rules over ${report.commandSeq} commands, ${report.durationMs} ms\nstate ${report.stateHash}\n`,
  );
}

/** Verifies the ledger of a store that no running program has open. Returns the exit code. */
export async function runLedgerVerify(config: Config, isJson: boolean): Promise<number> {
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataFolder: config.dataFolder });
  try {
    const report = await verifyLedger(database);
    if (isJson) process.stdout.write(`${JSON.stringify(report)}\n`);
    else printReport(report);
    return report.ok ? 0 : 1;
  } finally {
    await database.close();
  }
}
