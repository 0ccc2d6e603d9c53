/** The part of the platform's WebSocket that is used; the package `ws` has the same. */
export type RawSocket = {
  send(text: string): void;
  close(): void;
  /** Only `ws` has it: ends the connection without a farewell that a dead peer would never return. */
  terminate?(): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
};

/** A constructor of sockets: the platform's, `ws`, or one that a test brings. */
export type SocketClass = new (url: string) => RawSocket;

/** The platform's WebSocket; in a Node that has none, the one of the package `ws`. */
export const socketClass = async (): Promise<SocketClass> => {
  const { WebSocket } = globalThis as { WebSocket?: unknown };
  if (WebSocket !== undefined) return WebSocket as SocketClass;
  const module = await import('ws');
  return module.WebSocket as unknown as SocketClass;
};
