import avro from "avsc";
import { problem } from "#kernel/errors";

/** Schemas are written by hand; one larger than this is a mistake. */
const SCHEMA_BYTES_MAX = 256 * 1024;

export function checkSubject(subject: string): void {
  if (!/^[A-Za-z0-9._-]{1,500}$/.test(subject))
    throw problem.invalid(`'${subject}' is no subject: use letters, digits, '.', '_' and '-'`);
}

/** The type of an Avro schema; throws for what is none. */
export function checkSchema(subject: string, text: string): avro.Type {
  if (Buffer.byteLength(text) > SCHEMA_BYTES_MAX)
    throw problem.invalid(`the schema for '${subject}' has more than ${SCHEMA_BYTES_MAX} bytes`);
  try {
    return avro.Type.forSchema(JSON.parse(text) as avro.Schema);
  } catch (cause) {
    throw problem.invalid(
      `the schema for '${subject}' is not Avro: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** The same schema with other blanks is the same schema. */
export const canonical = (text: string): string => JSON.stringify(JSON.parse(text));
