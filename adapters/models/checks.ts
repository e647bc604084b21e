import { problem } from "#kernel/errors";
import { type InferRequest, type ModelRef, VALUES_MAX } from "#kernel/ports/models";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const INPUTS_MAX = 16;
const DIMENSIONS_MAX = 8;

/** Refuses what no runtime should be shown. */
export function checkModel({ name, version }: ModelRef): void {
  for (const [what, value] of [
    ["name", name],
    ["version", version],
  ] as const)
    if (!NAME.test(value))
      throw problem.invalid(
        `a model's ${what} '${value.slice(0, 120)}' is not 1 to 100 letters, digits, '.', '_' or '-'`,
      );
}

export function checkRequest({ inputs }: InferRequest): void {
  if (inputs.length === 0 || inputs.length > INPUTS_MAX)
    throw problem.invalid(`${inputs.length} inputs are not 1 to ${INPUTS_MAX}`);
  for (const { name, shape, data, datatype } of inputs) {
    const size = shape.reduce((product, length) => product * length, 1);
    const isWhole = shape.every((length) => Number.isSafeInteger(length) && length >= 0);
    if (!isWhole || shape.length === 0 || shape.length > DIMENSIONS_MAX || size !== data.length)
      throw problem.invalid(
        `input '${name.slice(0, 100)}' has ${data.length} values and the shape [${shape.slice(0, DIMENSIONS_MAX).join(", ")}]`,
      );
    if (size > VALUES_MAX)
      throw problem.exhausted(`input '${name.slice(0, 100)}' has more than ${VALUES_MAX} values: ask in parts`);
    if (datatype === "INT64" && !data.every(Number.isSafeInteger))
      throw problem.invalid(`input '${name.slice(0, 100)}' has a value that is no whole number`);
  }
}

export const notLoaded = ({ name, version }: ModelRef): Error =>
  problem.notFound(`model '${name}' has no version '${version}' that is loaded`, { reason: "model_unknown" });
