# khugepaged on files: how many pages it wants, holes, shared anonymous memory by advice, and the array of
# 8 huge pages that base entries map.
machine nodes=2 node_mem=1G
thp enabled madvise
thp shmem_enabled deny
khugepaged_set max_ptes_none 256
spawn p
spawn q
@p cpu 1
@q cpu 0
@p map a 24M shmem file=x
@q map a 24M shmem file=x
@p touch a 0 1M
@p touch a 2M 1020K
@p touch a 4M 2M
@q touch a 4M 2M r
@q touch a 6M 2M
@p touch a 6M 2M r
khugepaged 2
thp shmem_enabled advise
khugepaged 2
@p touch a 0 8M r
@q touch a 0 8M r
thp shmem_enabled never
@p punch a 0 4K
@q touch a 0 2M
khugepaged 2
@p map s 8M shmem thp=hugepage
@p touch s 0 2M
thp shmem_enabled advise
@p touch s 2M 1M
@p map t 8M anon shared
@p touch t 0 4M
khugepaged 2
@p advise t 0 4M hugepage
khugepaged 2
@p touch t 0 8M r
thp shmem_enabled within_size
@p map u 7M anon shared
@p touch u
@p map v 4M anon shared
@p touch v
khugepaged 2
thp shmem_enabled deny
@p map w 24M shmem file=w
@q map w 24M shmem file=w
@p touch w
@q touch w r
thp shmem_enabled always
khugepaged 2
@q touch w r
@p protect w 0 24M r
khugepaged 2
@p exit
@q exit
unlink /shm/x
unlink /shm/w
drop_caches 2
