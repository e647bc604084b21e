import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { problem } from "#kernel/errors";
import type { Models } from "#kernel/ports/models";
import { answerOip, type OipBackend } from "../../services/discovery/models/oip.ts";
import { modelsContract } from "./contract.ts";
import { openEmbeddedModels } from "./embedded.ts";
import { openKserveModels } from "./kserve.ts";

/** The runtime as a server that takes models, as Triton does in explicit model control. */
function serverOf(models: Models): OipBackend {
  return {
    ready: async () => {},
    metadata: async (name, version = "1") => ({ ...(await models.metadata({ name, version })), versions: [version] }),
    infer: async (name, version = "1", request) => ({
      ...(await models.infer({ name, version }, request, { timeoutMs: 5_000 })),
      version,
    }),
    repository: {
      async load(name, files) {
        const file = files.get("1/model.onnx");
        if (!file) throw problem.invalid("there is no file 1/model.onnx");
        await models.load({ name, version: "1" }, file);
      },
      unload: (name) => models.unload({ name, version: "1" }),
    },
  };
}

async function listen(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

modelsContract("kserve", async () => {
  const runtime = openEmbeddedModels();
  const server = await listen((request, response) => void answerOip(serverOf(runtime), request, response));
  const models = openKserveModels({ url: server.url });
  return {
    models,
    async close() {
      await models.close();
      await server.close();
      await runtime.close();
    },
  };
});

test("a server that is away, or is another one, is told with the remedy", async () => {
  const other = await listen((_, response) => response.end("<html>"));
  const models = openKserveModels({ url: other.url });
  const model = { name: "m", version: "1" };
  await assert.rejects(models.metadata(model), /no JSON: see MARQUEE_MODELS_URL/);
  await other.close();
  await assert.rejects(models.metadata(model), { code: "unavailable" });
  assert.equal((await models.state()).ok, false);
});
