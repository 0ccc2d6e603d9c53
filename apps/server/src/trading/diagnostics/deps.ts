import type { SigningKeyDirectory } from '../../ports/identity.ts';
import type { AccountDeps } from '../accounts/deps.ts';

export interface DiagnosticsDeps extends AccountDeps {
  readonly signingKeys: SigningKeyDirectory;
}
