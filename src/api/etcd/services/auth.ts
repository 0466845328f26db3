import type { EtcdOptions, Headers } from '../etcd-options.ts';
import { failing, type Service, unary } from '../method.ts';
import type { MessageType } from '../proto/message-type.ts';
import * as messages from '../proto/messages/auth.ts';
import { HeaderResponse } from '../proto/messages/empty.ts';
import { EtcdError, etcdErrors } from '../status.ts';

/** `etcdserverpb.Auth` of an etcd in which authentication is not enabled and which has no users and roles. */
export function authService(_options: EtcdOptions, headers: Headers): Service {
  const header = async () => ({ header: headers.now() });
  const status = async () => ({ header: headers.now(), enabled: false, authRevision: 1 });
  const precondition = (text: string) => () => new EtcdError('FAILED_PRECONDITION', `etcdserver: ${text}`);
  const noUser = precondition('user name not found');
  const noRole = precondition('role name not found');
  const refuse = (name: string, path: string, request: MessageType<object>, error: () => Error) =>
    failing(name, [`auth/${path}`], request, error);
  const { AuthRequest, AuthStatusResponse, AuthListResponse } = messages;
  return {
    name: 'etcdserverpb.Auth',
    methods: [
      refuse('AuthEnable', 'enable', AuthRequest, precondition('root user does not exist')),
      unary('AuthDisable', ['auth/disable'], AuthRequest, HeaderResponse, header),
      unary('AuthStatus', ['auth/status'], AuthRequest, AuthStatusResponse, status),
      refuse('Authenticate', 'authenticate', messages.AuthenticateRequest, etcdErrors.authNotEnabled),
      refuse('UserAdd', 'user/add', messages.AuthUserAddRequest, () => etcdErrors.notBuilt('a table of users')),
      refuse('UserGet', 'user/get', messages.AuthUserRequest, noUser),
      unary('UserList', ['auth/user/list'], AuthRequest, AuthListResponse, header),
      refuse('UserDelete', 'user/delete', messages.AuthUserRequest, noUser),
      refuse('UserChangePassword', 'user/changepw', messages.AuthUserChangePasswordRequest, noUser),
      refuse('UserGrantRole', 'user/grant', messages.AuthUserRoleRequest, noUser),
      refuse('UserRevokeRole', 'user/revoke', messages.AuthUserRevokeRoleRequest, noUser),
      refuse('RoleAdd', 'role/add', messages.AuthRoleAddRequest, () => etcdErrors.notBuilt('a table of roles')),
      refuse('RoleGet', 'role/get', messages.AuthRoleRequest, noRole),
      unary('RoleList', ['auth/role/list'], AuthRequest, AuthListResponse, header),
      refuse('RoleDelete', 'role/delete', messages.AuthRoleRequest, noRole),
      refuse('RoleGrantPermission', 'role/grant', messages.AuthRoleGrantPermissionRequest, noRole),
      refuse('RoleRevokePermission', 'role/revoke', messages.AuthRoleRevokePermissionRequest, noRole),
    ],
  };
}
