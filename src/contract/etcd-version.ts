/**
 * The etcd whose behaviour Balsa offers. Patroni and others read each part of it as an integer, and compare: no suffix, and not below
 * 3.5.13, from where on Kubernetes uses progress requests.
 */
export const etcdVersion = '3.6.0';
