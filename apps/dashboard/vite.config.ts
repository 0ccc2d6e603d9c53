import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, loadEnv } from 'vite';

export default defineConfig(({ mode }) => {
  const api = loadEnv(mode, '.', 'OPENGRID_').OPENGRID_DEV_API ?? 'http://127.0.0.1:4000';
  return {
    plugins: [react(), tailwindcss()],
    // The SDK is taken from its source, so that the page can be built before the packages are.
    resolve: { conditions: ['opengrid-source', ...defaultClientConditions] },
    build: {
      outDir: 'dist',
      target: 'es2022',
      // The page runs under a policy that allows neither inline code nor data: addresses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    // During development the page and the API must look like one origin, as they are in production.
    server: { host: '127.0.0.1', proxy: { '/v1': api } },
  };
});
