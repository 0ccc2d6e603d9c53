const pattern = /^sk-or-v1-[0-9a-f]{64}$/;

/** Why a pasted text cannot be a consumption key, or `null` when it can. Saves a request and gives a better hint. */
export const keyProblem = (text: string): string | null => {
  if (text === '') return 'Paste a consumption key first.';
  if (!text.startsWith('sk-or-v1-')) return 'A consumption key starts with sk-or-v1-.';
  return pattern.test(text)
    ? null
    : 'The key is not complete: after sk-or-v1- come 64 characters from 0-9 and a-f.';
};
