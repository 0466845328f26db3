/**
 * A number or string that says what it counts or names. A plain value fits any flavour, one flavour does not fit
 * another, so that a term handed in for an index is a type error.
 */
export type Flavored<T, Flavor extends string> = T & { readonly flavor?: Flavor };
