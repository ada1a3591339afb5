# Random operations on files of shared memory that may have huge pages, seed 6.
machine nodes=1 node_mem=1G
spawn p0
@p0 cpu 0
spawn p1
@p1 cpu 0
thp shmem_enabled deny
@p0 map m0 12M shmem file=z
@p0 advise m0 5M 12M remove
@p0 advise m0 0M 12M collapse
@p0 touch m0 0M 2M
@p0 map m1 12M shmem file=z
thp shmem_enabled advise
@p0 touch m0 512K 3M 64K
thp enabled always
khugepaged 2
@p1 map m2 8M shmem file=y
@p0 fallocate m0 9M 1M
@p1 touch m2 2044K 1M r
spawn p2
@p2 cpu 0
@p1 touch m2 4M 300K r
@p1 touch m2 4608K 300K r
khugepaged_set max_ptes_none 511
thp shmem_enabled force
@p1 advise m2 0M 4K collapse
@p0 advise m1 0M 64K collapse
@p2 map m3 12M shmem file=y
@p0 map m4 6M anon
@p2 touch m3 0M 3M r
@p1 advise m2 512K 64K collapse
@p1 touch m2 3M 1M 64K
@p1 touch m2 4M 300K 64K
khugepaged 1
@p1 touch m2 60K 8M
@p2 map m5 6M shmem file=z
@p0 advise m1 0M 1M collapse
@p2 touch m3 2M 2M 64K
@p2 map m6 6M anon shared
@p2 touch m5 0M 1M r
@p2 touch m6 4092K 6M r
@p0 exit
@p1 advise m2 0M 64K collapse
@p1 map m7 2M shmem file=x
@p1 touch m2 0M 2M r
@p2 map m8 2M anon shared
@p1 map m9 8M shmem file=x
@p1 map m10 2M anon shared
@p2 touch m6 0M 64K 64K
khugepaged 2
@p2 advise m3 512K 300K hugepage
@p1 truncate m2 8M
@p1 exit
@p2 exit
