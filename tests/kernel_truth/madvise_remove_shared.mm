# A hole in shared memory without a name: for whoever maps it, also where it is read-only, and not where it is locked.
machine nodes=2 node_mem=1G
thp enabled never
spawn p
@p cpu 0
@p map a 4M anon shared
@p touch a
@p fork q
@q touch a r
@p advise a 1M 1M remove
@q touch a r
@p punch a 0 1M
@p truncate a 1M
@p protect a 0 1M r
@p advise a 0 64K remove
@p protect a 0 1M rw
@p lock a 0 64K
@p advise a 0 64K remove
@p fork r
@p unmap a
@q exit
@r advise a 0 2M remove
@r exit
@p exit
