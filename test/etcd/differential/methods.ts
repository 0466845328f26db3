import * as auth from '../../../src/api/etcd/proto/messages/auth.ts';
import * as cluster from '../../../src/api/etcd/proto/messages/cluster.ts';
import { HeaderResponse } from '../../../src/api/etcd/proto/messages/empty.ts';
import * as kv from '../../../src/api/etcd/proto/messages/kv.ts';
import * as lease from '../../../src/api/etcd/proto/messages/lease.ts';
import * as lock from '../../../src/api/etcd/proto/messages/lock.ts';
import * as maintenance from '../../../src/api/etcd/proto/messages/maintenance.ts';
import { method } from './step.ts';

const [kvPath, leasePath, authPath] = ['/etcdserverpb.KV', '/etcdserverpb.Lease', '/etcdserverpb.Auth'];
const electionPath = '/v3electionpb.Election';

export const range = method(`${kvPath}/Range`, 'kv/range', kv.RangeRequest, kv.RangeResponse);
export const put = method(`${kvPath}/Put`, 'kv/put', kv.PutRequest, kv.PutResponse);
export const del = method(`${kvPath}/DeleteRange`, 'kv/deleterange', kv.DeleteRangeRequest, kv.DeleteRangeResponse);
export const txn = method(`${kvPath}/Txn`, 'kv/txn', kv.TxnRequest, kv.TxnResponse);
export const compact = method(`${kvPath}/Compact`, 'kv/compaction', kv.CompactionRequest, kv.CompactionResponse);

export const grant = method(
  `${leasePath}/LeaseGrant`,
  'lease/grant',
  lease.LeaseGrantRequest,
  lease.LeaseGrantResponse,
);
export const revoke = method(
  `${leasePath}/LeaseRevoke`,
  'lease/revoke',
  lease.LeaseRevokeRequest,
  lease.LeaseRevokeResponse,
);
export const timeToLive = method(
  `${leasePath}/LeaseTimeToLive`,
  'lease/timetolive',
  lease.LeaseTimeToLiveRequest,
  lease.LeaseTimeToLiveResponse,
);
export const leases = method(
  `${leasePath}/LeaseLeases`,
  'lease/leases',
  lease.LeaseLeasesRequest,
  lease.LeaseLeasesResponse,
);
export const keepAlive = method(
  `${leasePath}/LeaseKeepAlive`,
  'lease/keepalive',
  lease.LeaseKeepAliveRequest,
  lease.LeaseKeepAliveResponse,
);

export const memberList = method(
  '/etcdserverpb.Cluster/MemberList',
  'cluster/member/list',
  cluster.MemberListRequest,
  cluster.MembersResponse,
);

const maintenancePath = '/etcdserverpb.Maintenance';
export const status = method(
  `${maintenancePath}/Status`,
  'maintenance/status',
  maintenance.StatusRequest,
  maintenance.StatusResponse,
);
export const alarm = method(
  `${maintenancePath}/Alarm`,
  'maintenance/alarm',
  maintenance.AlarmRequest,
  maintenance.AlarmResponse,
);
export const defragment = method(
  `${maintenancePath}/Defragment`,
  'maintenance/defragment',
  maintenance.DefragmentRequest,
  HeaderResponse,
);
export const hashKv = method(
  `${maintenancePath}/HashKV`,
  undefined,
  maintenance.HashKvRequest,
  maintenance.HashKvResponse,
);

export const lockLock = method('/v3lockpb.Lock/Lock', 'lock/lock', lock.LockRequest, lock.LockResponse);
export const unlock = method('/v3lockpb.Lock/Unlock', 'lock/unlock', lock.UnlockRequest, HeaderResponse);
export const campaign = method(
  `${electionPath}/Campaign`,
  'election/campaign',
  lock.CampaignRequest,
  lock.CampaignResponse,
);
export const proclaim = method(`${electionPath}/Proclaim`, 'election/proclaim', lock.ProclaimRequest, HeaderResponse);
export const leader = method(`${electionPath}/Leader`, 'election/leader', lock.LeaderRequest, lock.LeaderResponse);
export const resign = method(`${electionPath}/Resign`, 'election/resign', lock.ResignRequest, HeaderResponse);

const authMethod = <Request extends object>(
  name: string,
  path: string,
  request: Parameters<typeof method<Request, object>>[2],
) => method(`${authPath}/${name}`, `auth/${path}`, request, HeaderResponse);
export const authenticate = authMethod('Authenticate', 'authenticate', auth.AuthenticateRequest);
export const authEnable = authMethod('AuthEnable', 'enable', auth.AuthRequest);
export const authDisable = authMethod('AuthDisable', 'disable', auth.AuthRequest);
export const userGet = authMethod('UserGet', 'user/get', auth.AuthUserRequest);
export const userList = authMethod('UserList', 'user/list', auth.AuthRequest);
export const userDelete = authMethod('UserDelete', 'user/delete', auth.AuthUserRequest);
export const userChangePassword = authMethod('UserChangePassword', 'user/changepw', auth.AuthUserChangePasswordRequest);
export const userGrantRole = authMethod('UserGrantRole', 'user/grant', auth.AuthUserRoleRequest);
export const userRevokeRole = authMethod('UserRevokeRole', 'user/revoke', auth.AuthUserRevokeRoleRequest);
export const roleGet = authMethod('RoleGet', 'role/get', auth.AuthRoleRequest);
export const roleList = authMethod('RoleList', 'role/list', auth.AuthRequest);
export const roleDelete = authMethod('RoleDelete', 'role/delete', auth.AuthRoleRequest);
export const roleGrant = authMethod('RoleGrantPermission', 'role/grant', auth.AuthRoleGrantPermissionRequest);
export const roleRevoke = authMethod('RoleRevokePermission', 'role/revoke', auth.AuthRoleRevokePermissionRequest);
