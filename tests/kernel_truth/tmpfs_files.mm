# Files of the tmpfs by name, with base pages: who shares them, what truncation and holes take away from everybody, and
# how long they live.
machine nodes=2 node_mem=1G
thp enabled never
thp shmem_enabled deny
spawn p
spawn q
@p cpu 0
@q cpu 1
@p map a 4M shmem file=x
@q map b 2M shmem file=x
@p touch a 0 1M
@q touch b r
@q touch b 64K 64K
# A hole: only whole pages, for both.
@p punch a 1K 16K
@q touch b 0 64K r
@q advise b 128K 64K remove
@p touch a 128K 64K r
@q protect b 256K 64K r
@q advise b 256K 64K remove
@p touch a 256K 64K r
@q advise b 384K 64K remove
# Smaller, larger again, and by another map.
@p truncate a 512K
@q touch b 0 1M
@p truncate a 514K
@q touch b 0 1M r
@p truncate a 1M
@q touch b 0 2M r
@q map c 3M shmem file=/shm/x
@p touch a 2M 2M
@p fallocate a 1M 1M
@p fallocate a 3M 2M
@q touch b
@q touch c r
@p fallocate a 0 4G
@p fallocate a 0 0
@p punch a 0 0
@p map d 1M shmem file=/none/x
# The name goes; what is open or mapped stays.
unlink /shm/x
unlink /shm/x
@q touch b r
@p map e 1M shmem file=x
@p touch e
@p unmap e
@q map e 2M shmem file=x
@q touch e
unlink /shm/x
@p unmap a 0 2M
@q unmap b
@q unmap c
@p punch a 1M 1M
@p fork r
@p unmap a
@r touch a r
@r exit
# Without a name.
@p map f 1M shmem
@p touch f
@p map f2 1M shmem file=f
@p touch f2 0 64K
@q map f 1M shmem
@q touch f 0 128K r
@p truncate f 64K
@p touch f
@q exit
@p exit
unlink /shm/f
