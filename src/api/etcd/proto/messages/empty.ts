import { embedded, messageType } from '../message-type.ts';
import { ResponseHeader } from './header.ts';

/** The answer of those methods that have nothing to tell but the header. */
export const HeaderResponse = messageType('etcdserverpb.HeaderResponse', {
  header: embedded(1, () => ResponseHeader),
});
