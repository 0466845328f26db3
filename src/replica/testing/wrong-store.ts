import { type Command, decodeCommand, encodeCommand, type Store } from '../../mvcc/index.ts';

/** A store that takes in something else than what the log says, as with broken memory: `spoil` makes it of each put. */
export function wrongStore(store: Store, spoil: (put: Extract<Command, { kind: 'put' }>) => Command): Store {
  const apply = (...[index, commands, context]: [number, Uint8Array | undefined, { term: number } | undefined]) => {
    if (commands === undefined || context === undefined) return store.apply(index, undefined);
    return store.apply(index, spoilt(commands, spoil), context);
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === 'apply') return apply;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

function spoilt(commands: Uint8Array, spoil: (put: Extract<Command, { kind: 'put' }>) => Command): Uint8Array {
  const command = decodeCommand(commands);
  return command.kind === 'put' ? encodeCommand(spoil(command)) : commands;
}
