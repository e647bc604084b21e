/** Two builds of one source: the browser's (with a manifest that the server reads) and, with `--ssr`, the server's. */
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

export default defineConfig(({ isSsrBuild }) => ({
  root: here,
  base: "/",
  publicDir: isSsrBuild === true ? false : "public",
  plugins: [react(), tailwindcss()],
  // The server's bundle carries its libraries: it runs in a worker that resolves nothing.
  ssr: { noExternal: true, target: "node" },
  build: {
    target: isSsrBuild === true ? "node24" : "es2022",
    manifest: isSsrBuild !== true,
    outDir: isSsrBuild === true ? "dist/server" : "dist/client",
    emptyOutDir: true,
    cssCodeSplit: false,
    // Shaka is a third of a megabyte by nature; it is loaded when a film starts.
    chunkSizeWarningLimit: 700,
    rollupOptions:
      isSsrBuild === true
        ? {}
        : {
            input: ["src/entry-client.tsx", "src/sw.ts"],
            // A service worker is found again by its name, at the root of what it serves.
            output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
          },
  },
}));
