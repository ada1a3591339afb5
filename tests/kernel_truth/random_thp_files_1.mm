# Random operations on files of shared memory that may have huge pages, seed 1.
machine nodes=2 node_mem=1G
spawn p0
@p0 cpu 0
khugepaged 1
spawn p1
@p1 cpu 0
khugepaged 2
@p0 exit
@p1 map m0 6M shmem file=y
@p1 touch m0 3068K 6M
khugepaged 1
@p1 advise m0 5116K 4K collapse
@p1 advise m0 0M 1M dontneed
@p1 map m1 4M anon
@p1 touch m0 3M 6M
@p1 fork p2
@p1 touch m0 512K 6M 64K
@p1 truncate m1 3M
@p2 touch m0 0M 2M 64K
spawn p3
@p3 cpu 0
@p1 advise m1 4K 300K remove
thp shmem_enabled deny
@p1 map m2 12M anon
khugepaged 2
@p2 touch m1 0M 4K
@p2 advise m1 0M 2M hugepage
@p1 exit
@p2 advise m0 5180K 2M collapse
khugepaged 2
@p2 fork p4
@p4 protect m1 0M 64K r
thp shmem_enabled always
@p4 map m3 12M shmem file=x
@p4 advise m0 1M 64K remove
thp shmem_enabled advise
@p4 advise m1 0M 3M collapse
@p4 touch m1 0M 64K 64K
thp shmem_enabled advise
@p4 touch m3 0M 4K r
khugepaged 1
@p4 touch m1 2M 4K 64K
@p4 unmap m0
@p2 exit
@p3 exit
@p4 exit
