# Huge pages of files on the tmpfs and of shared memory without a name: when they come, how each process maps them, and
# what truncation and holes leave of them.
machine nodes=2 node_mem=1G
thp enabled never
spawn p
spawn q
@p cpu 0
@q cpu 1
# A PMD where the VMA covers it, else base entries of parts.
@p map a 5M shmem file=x
@p touch a 0 4K r
@p touch a 2M 4K
@p touch a 4M 64K 8K
@q map b 1M shmem file=x
@q touch b 0 4K r
@q touch b 256K 4K
@q unmap b 0 20K
@q touch b 20K 8K r
@p protect a 0 2M r
@p touch a 0 4K
@p protect a 0 2M rw
@p touch a 0 4K
@p unmap a 1M 512K
@p touch a 0 4K
@p advise a 2M 4K dontneed
@p touch a 2M 8K
@p fork r
@r touch a 2M 4K r
@r touch a 0 4K r
# Cut off in the middle, at the same size, grown, inside a page.
@p truncate a 4500K
@p touch a 4M 1M r
@p truncate a 4500K
@p truncate a 8M
@p map c 8M shmem file=x
@p touch c 6M 4K
@p punch c 6145K 1K
@p touch c 6M 2M r
@p punch c 1M 2M
@p touch c 0 4M
@p punch c 0 8M
@p touch c
@p exit
@r exit
@q exit
unlink /shm/x
# What may not have them, and what may again.
spawn s
@s cpu 1
thp shmem_enabled deny
@s map d 6M shmem file=y
@s touch d 0 4K
thp shmem_enabled never
@s touch d 2M 4K
@s touch d 4K 4K
@s advise d 4M 2M nohugepage
@s touch d 4M 4K
@s map e 6M anon shared
@s touch e 0 4K
thp shmem_enabled advise
@s touch e 2M 4K
@s advise e 4M 2M hugepage
@s touch e 4M 4K
@s map f 5M anon shared
thp shmem_enabled within_size
@s touch f 0 4K
@s touch f 4M 4K
thp shmem_enabled always
@s touch f 4M 512K 4K
@s map g 3M anon shared
@s touch g 2M 4K
thp shmem_enabled force
@s map h 2M anon shared
@s touch h 0 4K
# With a policy, by fallocate, and where the node is short of huge pages.
@s map i 4M shmem file=z policy=bind:0
@s touch i 0 4K
@s map j 4M shmem file=w
@s fallocate j 0 3M
@s touch j r
@s truncate j 1M
@s touch j r
@s exit
drop_caches 2
