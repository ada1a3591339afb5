# Random operations on files of shared memory that may have huge pages, seed 4.
machine nodes=1 node_mem=1G
spawn p0
@p0 cpu 0
@p0 map m0 8M shmem file=x
spawn p1
@p1 cpu 0
khugepaged 2
khugepaged 2
khugepaged 2
@p0 map m1 6M shmem file=z
@p1 map m2 12M shmem file=y
@p0 map m3 8M shmem file=z
spawn p2
@p2 cpu 0
@p1 advise m2 6M 1M remove
drop_caches 2
@p0 map m4 8M shmem file=y
@p1 advise m2 60K 1M collapse
khugepaged_set max_ptes_none 0
thp enabled always
@p0 unmap m0 0M 8M
khugepaged 2
thp shmem_enabled deny
@p1 advise m2 60K 300K collapse
@p1 advise m2 0M 1M remove
@p1 exit
thp shmem_enabled deny
@p2 map m5 4M shmem file=y
@p2 touch m5 0M 4K
@p0 touch m1 0M 2M
@p0 protect m3 3M 64K rw
spawn p3
@p3 cpu 0
khugepaged 1
@p0 touch m0 0M 64K r
@p2 map m6 2M anon
@p2 touch m6 1M 4K 64K
khugepaged_set max_ptes_none 128
@p2 advise m6 1M 300K hugepage
@p2 truncate m5 4M
@p0 advise m4 6M 64K collapse
khugepaged 1
@p0 exit
@p2 advise m5 2M 2M remove
spawn p4
@p4 cpu 0
@p2 map m7 2M anon shared
@p2 map m8 12M shmem file=x
@p3 exit
@p4 map m9 2M anon
@p4 touch m9 60K 3M
@p4 touch m9 0M 3M r
@p2 exit
@p4 exit
