import { modelsContract } from "./contract.ts";
import { openEmbeddedModels } from "./embedded.ts";

modelsContract("embedded", async () => {
  const models = openEmbeddedModels();
  return { models, close: () => models.close() };
});
