import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { isOpenToAllOrigins } from './cors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the body is checked with, where a schema does that. */
    body?: z.ZodType;
    /** The route only says that its path is not for this method. */
    isRefusal?: true;
  }
}

/** A route of the API as it is mounted. */
export interface MountedRoute {
  readonly method: string;
  /** Canonical path, with parameters as `{name}`. */
  readonly path: string;
  readonly body: z.ZodType | undefined;
}

/** Model names may have slashes, so their route ends in a wildcard. */
const WILDCARDS: ReadonlyMap<string, string> = new Map([['/v1/models/*', '/v1/models/{model}']]);
const NOT_DESCRIBED = new Set(['HEAD', 'OPTIONS']);

/** The canonical path of a route, whatever alias it is mounted under. */
export function canonicalPath(url: string, template?: string): string {
  const path = template ?? url;
  return WILDCARDS.get(path) ?? path.replaceAll(/:(\w+)/g, '{$1}');
}

/**
 * Takes down every route of the API that is mounted from here on, once for all its aliases. What is asked for before the
 * application is ready is not complete.
 */
export function collectRoutes(app: FastifyInstance): () => readonly MountedRoute[] {
  const routes = new Map<string, MountedRoute>();
  app.addHook('onRoute', ({ url, method: methods, config }) => {
    if (config?.isRefusal === true || !isOpenToAllOrigins(url) || url === '/openapi.json') return;
    const path = canonicalPath(url, config?.route);
    for (const method of [methods].flat()) {
      if (NOT_DESCRIBED.has(method)) continue;
      routes.set(`${method} ${path}`, { method, path, body: config?.body });
    }
  });
  return () => [...routes.values()];
}
