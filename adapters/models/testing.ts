import { GBDT_DEFAULTS, predictGbdt, trainGbdt } from "#learning/gbdt";
import { INPUT_NAME, OUTPUT_NAME, writeOnnx } from "#learning/onnx";

export { INPUT_NAME, OUTPUT_NAME };
export const COLUMNS = 3;
export const ROWS = 200;
export const table = {
  columns: COLUMNS,
  values: Float32Array.from({ length: ROWS * COLUMNS }, (_, index) =>
    index % 11 === 0 ? Number.NaN : ((index * 7_919) % 1_009) / 10,
  ),
};
const labels = Float32Array.from({ length: ROWS }, (_, row) => ((table.values[row * COLUMNS] ?? 0) > 50 ? 1 : 0));
const trained = trainGbdt(table, labels, { ...GBDT_DEFAULTS, loss: "logistic", trees: 10 });
/** A model of the port's tests, a smaller one, and what the first says of the rows. */
export const artefact = writeOnnx(trained);
export const smaller = writeOnnx({ ...trained, trees: trained.trees.slice(0, 1) });
export const expected = predictGbdt(trained, table);
