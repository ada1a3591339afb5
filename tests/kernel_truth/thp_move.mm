# Transparent huge pages that are moved between nodes: whole, mapped in part, shared, mapped by base entries
# too, of files; and where the other node has no huge page.
machine nodes=2 node_mem=1G
thp enabled always
spawn p
@p cpu 0
@p map a 4M anon
@p touch a
@p move a 1
@p move a 0
@p advise a 0 64K dontneed
@p move a 1
@p touch a
@p map b 4M anon
@p touch b 0 2M
@p protect b 1M 4K r
@p move b 1
@p touch b 2M 8K
@p move b 0
@p fork q
@p move a 0
@q touch a 0 4K
@p move a 0
@q exit
@p move a 0
@p touch a 0 8K
@p move a 1
drop_caches 2
@p move a 0
@p map s 4M shmem file=x
@p touch s
@p move s 1
@p protect s 0 4K r
@p touch s 0 2M r
@p move s 0
@p map z 2M anon
@p touch z r
@p move z 1
@p exit
unlink /shm/x
