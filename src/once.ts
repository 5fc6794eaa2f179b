/** Caches what `make` returns for an object, for as long as the object exists. */
export function oncePer<Of extends object, Made>(make: (of: Of) => Made): (of: Of) => Made {
  const kept = new WeakMap<Of, { readonly made: Made }>();
  return (of) => {
    const known = kept.get(of);
    if (known !== undefined) return known.made;
    const made = make(of);
    kept.set(of, { made });
    return made;
  };
}

/** Like oncePer for two arguments; for each object, only the result for the latest `other` is kept. */
export function oncePerPair<Of extends object, Other, Made>(
  make: (of: Of, other: Other) => Made,
): (of: Of, other: Other) => Made {
  const last = new WeakMap<Of, { readonly other: Other; readonly made: Made }>();
  return (of, other) => {
    const known = last.get(of);
    if (known !== undefined && known.other === other) return known.made;
    const made = make(of, other);
    last.set(of, { other, made });
    return made;
  };
}
