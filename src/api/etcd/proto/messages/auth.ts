import {
  bool,
  bytes,
  embedded,
  enumeration,
  type MessageOf,
  messageType,
  repeated,
  string,
  uint64,
} from '../message-type.ts';
import { ResponseHeader } from './header.ts';

/** etcd `api/authpb/auth.proto`. */
export const Permission = messageType('authpb.Permission', {
  permType: enumeration(1, ['READ', 'WRITE', 'READWRITE'], { protoName: 'permType' }),
  key: bytes(2),
  rangeEnd: bytes(3),
});

export const UserAddOptions = messageType('authpb.UserAddOptions', { noPassword: bool(1) });

export const AuthRequest = messageType('etcdserverpb.AuthRequest', {});

export const AuthStatusResponse = messageType('etcdserverpb.AuthStatusResponse', {
  header: embedded(1, () => ResponseHeader),
  enabled: bool(2),
  authRevision: uint64(3, { protoName: 'authRevision' }),
});

export const AuthenticateRequest = messageType('etcdserverpb.AuthenticateRequest', {
  name: string(1),
  password: string(2),
});

export const AuthenticateResponse = messageType('etcdserverpb.AuthenticateResponse', {
  header: embedded(1, () => ResponseHeader),
  token: string(2),
});

/** Also AuthUserChangePassword, which has no options. */
export const AuthUserAddRequest = messageType('etcdserverpb.AuthUserAddRequest', {
  name: string(1),
  password: string(2),
  options: embedded(3, () => UserAddOptions),
  hashedPassword: string(4, { protoName: 'hashedPassword' }),
});
export type AuthUserAddRequest = MessageOf<typeof AuthUserAddRequest>;

export const AuthUserChangePasswordRequest = messageType('etcdserverpb.AuthUserChangePasswordRequest', {
  name: string(1),
  password: string(2),
  hashedPassword: string(3, { protoName: 'hashedPassword' }),
});

/** AuthUserGet and AuthUserDelete. */
export const AuthUserRequest = messageType('etcdserverpb.AuthUserGetRequest', { name: string(1) });

export const AuthUserRoleRequest = messageType('etcdserverpb.AuthUserGrantRoleRequest', {
  user: string(1),
  role: string(2),
});

export const AuthUserRevokeRoleRequest = messageType('etcdserverpb.AuthUserRevokeRoleRequest', {
  name: string(1),
  role: string(2),
});

export const AuthRoleAddRequest = messageType('etcdserverpb.AuthRoleAddRequest', { name: string(1) });
export type AuthRoleAddRequest = MessageOf<typeof AuthRoleAddRequest>;

/** AuthRoleGet and AuthRoleDelete. */
export const AuthRoleRequest = messageType('etcdserverpb.AuthRoleGetRequest', { role: string(1) });

export const AuthRoleGrantPermissionRequest = messageType('etcdserverpb.AuthRoleGrantPermissionRequest', {
  name: string(1),
  perm: embedded(2, () => Permission),
});

export const AuthRoleRevokePermissionRequest = messageType('etcdserverpb.AuthRoleRevokePermissionRequest', {
  role: string(1),
  key: bytes(2),
  rangeEnd: bytes(3),
});

export const AuthListResponse = messageType('etcdserverpb.AuthUserListResponse', {
  header: embedded(1, () => ResponseHeader),
  names: repeated(string(2)),
});

export const AuthUserGetResponse = messageType('etcdserverpb.AuthUserGetResponse', {
  header: embedded(1, () => ResponseHeader),
  roles: repeated(string(2)),
});

export const AuthRoleGetResponse = messageType('etcdserverpb.AuthRoleGetResponse', {
  header: embedded(1, () => ResponseHeader),
  perm: repeated(embedded(2, () => Permission)),
});
