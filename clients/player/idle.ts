import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

const IDLE_MS = 3_000;
/** A moving mouse tells of itself far more often than the controls need to know. */
const WAKE_EVERY_MS = 250;

/** True when nothing has moved for three seconds and nothing holds the controls: then they leave, and the pointer too. */
export function useIdle(
  root: RefObject<HTMLElement | null>,
  isHeld: boolean,
): { isIdle: boolean; wake(): void; rest(): void } {
  const [isIdle, setIsIdle] = useState(false);
  const [wokenAtMs, setWokenAtMs] = useState(0);
  const lastWakeMs = useRef(0);
  const wake = useCallback(() => {
    const nowMs = performance.now();
    setIsIdle(false);
    if (nowMs - lastWakeMs.current < WAKE_EVERY_MS) return;
    lastWakeMs.current = nowMs;
    setWokenAtMs(nowMs);
  }, []);
  const rest = useCallback(() => setIsIdle(true), []);

  useEffect(() => {
    if (isHeld) return;
    const leaveInMs = Math.max(0, Math.max(wokenAtMs, performance.now() - WAKE_EVERY_MS) + IDLE_MS - performance.now());
    const id = setTimeout(() => setIsIdle(true), leaveInMs);
    return () => clearTimeout(id);
  }, [isHeld, wokenAtMs]);

  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const off = new AbortController();
    const onMove = (event: PointerEvent) => {
      // A finger's press is judged by what it presses; only a mouse that moves asks for the controls.
      if (event.pointerType === "mouse") wake();
    };
    element.addEventListener("pointermove", onMove, { signal: off.signal });
    for (const name of ["pointerdown", "focusin"]) element.addEventListener(name, wake, { signal: off.signal });
    return () => off.abort();
  }, [root, wake]);
  return { isIdle: isIdle && !isHeld, wake, rest };
}
