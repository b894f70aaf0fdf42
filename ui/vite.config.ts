import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  clearScreen: false,
  // Tauri's `devUrl` names this port.
  server: { port: 5183, strictPort: true, fs: { allow: [".", "../icons"] } },
  // The content security policy allows no inline text: assets stay files.
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Each window loads what it needs: a prompt does not wait for the pages of the other one.
    rollupOptions: { input: ["index.html", "prompt.html"] },
  },
  test: { environment: "jsdom", setupFiles: ["src/setup-tests.ts"], include: ["src/**/*.test.ts"], restoreMocks: true, testTimeout: 30_000 },
});
