# Which node a file's huge page comes from: the one that has most of it, or the first of those that have as
# many; a full node makes it fail. Unmapping, truncation and a fork between scans.
machine nodes=2 node_mem=1G
thp enabled always
thp shmem_enabled deny
spawn p
spawn q
@p cpu 0
@q cpu 1
@p map a 12M shmem file=x
@q map a 12M shmem file=x
@p touch a 0 1M
@q touch a 1M 1M
@p touch a 2M 1M
@q touch a 3M 1028K
@p touch a 6M 2M
@q touch a 8M 500K
@p touch a 10M 4K
thp shmem_enabled never
@p advise a 0 4M collapse
@q advise a 4M 4M collapse
khugepaged 2
@p truncate a 9M
@q touch a 8M 1M
khugepaged 2
@p unmap a 0 1M
@p map b 6M anon policy=bind:1
@p touch b
@p fork r
@r touch a 2M 2M r
@r protect a 2M 4K r
khugepaged 2
@q punch a 3M 4K
@q touch a 2M 2M
@r touch a 2M 2M r
khugepaged 3
@r touch a 2M 2M r
@q advise a 0 4M remove
@r exit
@q touch a 0 8M
@p exit
@q exit
unlink /shm/x
