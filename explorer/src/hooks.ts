import { useEffect, useState } from "preact/hooks";

/** A value that is read later; null until it is. */
export interface Loaded<Value> {
  value: Value | null;
  error: Error | null;
}

/** Reads a value, and again when one of `inputs` changes; what comes too late is dropped. */
export function useLoaded<Value>(
  load: () => Promise<Value>,
  inputs: readonly unknown[],
): Loaded<Value> {
  const [loaded, setLoaded] = useState<Loaded<Value>>({ value: null, error: null });
  useEffect(() => {
    let wanted = true;
    setLoaded({ value: null, error: null });
    load().then(
      (value) => wanted && setLoaded({ value, error: null }),
      (error: Error) => wanted && setLoaded({ value: null, error }),
    );
    return () => {
      wanted = false;
    };
  }, inputs);
  return loaded;
}
