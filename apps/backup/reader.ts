/** Bytes that come in pieces of any size, taken in pieces of the size that is wanted. */
export interface Reader {
  /** So many bytes, or fewer where the stream ends. */
  upTo(bytes: number): Promise<Buffer>;
  /** A line with its line feed; undefined where none ends within so many bytes. */
  line(bytesMax: number): Promise<Buffer | undefined>;
  isAtEnd(): Promise<boolean>;
}

export function readerOf(source: AsyncIterable<Uint8Array>): Reader {
  const pieces = source[Symbol.asyncIterator]();
  let held: Buffer[] = [];
  let heldBytes = 0;
  let isOver = false;

  async function hold(bytes: number): Promise<void> {
    while (heldBytes < bytes && !isOver) {
      const { done, value } = await pieces.next();
      if (done) isOver = true;
      else {
        held.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
        heldBytes += value.byteLength;
      }
    }
  }

  function take(bytes: number): Buffer {
    const all = held.length === 1 && held[0] ? held[0] : Buffer.concat(held);
    const rest = all.subarray(bytes);
    held = rest.length > 0 ? [rest] : [];
    heldBytes = rest.length;
    return all.subarray(0, bytes);
  }

  return {
    async upTo(bytes) {
      await hold(bytes);
      return take(Math.min(bytes, heldBytes));
    },
    async line(bytesMax) {
      await hold(bytesMax);
      const all = take(heldBytes);
      const end = all.subarray(0, bytesMax).indexOf(10) + 1;
      held = [all.subarray(end)];
      heldBytes = all.length - end;
      return end === 0 ? undefined : all.subarray(0, end);
    },
    async isAtEnd() {
      await hold(1);
      return heldBytes === 0;
    },
  };
}
