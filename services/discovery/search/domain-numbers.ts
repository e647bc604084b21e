/** A list of numbers of 32 bits that grows: a quarter of the memory of an ordinary list, side by side. */
export interface Numbers {
  /** Those before `length` are in use; it is another array after the list has grown. */
  readonly values: Uint32Array;
  readonly length: number;
  push(value: number): void;
}

const FIRST_ROOM = 4;

/** An array with room for more, with what was in it. */
export function grown(values: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(FIRST_ROOM, Math.ceil(values.length * 1.5)));
  larger.set(values);
  return larger;
}

export function createNumbers(): Numbers {
  let values = new Uint32Array(0);
  let length = 0;
  return {
    get values() {
      return values;
    },
    get length() {
      return length;
    },
    push(value) {
      if (length === values.length) values = grown(values);
      values[length] = value;
      length += 1;
    },
  };
}
