# MADV_COLLAPSE of shared memory: of base pages and holes, mapped by two processes, of which only the caller's
# mapping becomes a PMD at once; khugepaged does the other later.
machine nodes=2 node_mem=1G
thp enabled always
thp shmem_enabled never
spawn p
spawn q
@p cpu 0
@q cpu 1
@p map a 8M shmem
@p touch a 0 1M
@p advise a 0 2M collapse
@p touch a 0 2M
@p advise a 2M 2M collapse
@p touch a 4M 4K
@p advise a 2M 6M collapse
@p advise a 0 8M collapse
@p fork r
@r touch a 0 4M r
@r advise a 0 4M collapse
@p map b 8M shmem file=y
@q map b 8M shmem file=y
@p punch b 0 8M
thp shmem_enabled deny
@p touch b 0 3M
@q touch b 0 6M
@p advise b 0 2M collapse
thp shmem_enabled never
@p advise b 0 2M collapse
@q touch b 0 2M r
@q advise b 2M 4M collapse
khugepaged 2
@p touch b 0 8M r
@p protect b 4M 4K r
@p advise b 4M 2M collapse
@p advise b 1M 2M collapse
@p advise b 4M 2M nohugepage
@p advise b 4M 2M collapse
@p protect b 4M 4K rw
khugepaged 2
@p exit
@q exit
@r exit
unlink /shm/y
