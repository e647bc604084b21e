import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

const IDLE_MS = 3_000;

/** True when nothing has moved for three seconds and nothing holds the controls: then they leave, and the pointer too. */
export function useIdle(
  root: RefObject<HTMLElement | null>,
  isHeld: boolean,
): { isIdle: boolean; wake(): void; rest(): void } {
  const [isIdle, setIsIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const held = useRef(isHeld);
  held.current = isHeld;
  const wake = useCallback(() => {
    clearTimeout(timer.current);
    setIsIdle(false);
    timer.current = setTimeout(() => {
      if (!held.current) setIsIdle(true);
    }, IDLE_MS);
  }, []);
  const rest = useCallback(() => {
    clearTimeout(timer.current);
    if (!held.current) setIsIdle(true);
  }, []);
  useEffect(() => {
    wake();
    return () => clearTimeout(timer.current);
  }, [wake, isHeld]);
  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const onPointer = (event: PointerEvent) => {
      // A finger's press is judged by what it presses; only a mouse that moves asks for the controls.
      if (event.type !== "pointermove" || event.pointerType === "mouse") wake();
    };
    const events = ["pointermove", "pointerdown", "focusin"] as const;
    const listeners = events.map((name) => {
      const run = (event: Event) => (event instanceof PointerEvent ? onPointer(event) : wake());
      element.addEventListener(name, run);
      return () => element.removeEventListener(name, run);
    });
    return () => {
      for (const off of listeners) off();
    };
  }, [root, wake]);
  return { isIdle: isIdle && !isHeld, wake, rest };
}
