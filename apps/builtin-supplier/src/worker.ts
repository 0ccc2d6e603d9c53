// The thread that startBuiltinSupplier starts.
import { parentPort, workerData } from 'node:worker_threads';
import { type BuiltinSupplierOptions, createBuiltinSupplierServer } from './server.ts';
import type { WorkerMessage } from './supplier.ts';

async function start(): Promise<WorkerMessage> {
  try {
    const { baseUrl } = await createBuiltinSupplierServer(workerData as BuiltinSupplierOptions);
    return { baseUrl };
  } catch (error) {
    return { failure: (error as NodeJS.ErrnoException).code ?? 'START_FAILED' };
  }
}

parentPort?.postMessage(await start());
