# Memory blocks with transparent huge pages in use go offline: anonymous ones, in part, of files.
machine nodes=2 node_mem=1G virtio_mem=1:1G:512M kernel_args="memhp_default_state=online_movable"
thp enabled always
spawn p
@p cpu 1
@p map a 300M anon policy=bind:1
@p touch a
@p map s 64M shmem file=x policy=bind:1
@p touch s
@p advise a 0 1M dontneed
@p advise a 100M 1M dontneed
virtio_mem 384M
@p touch a 0 2M
virtio_mem 128M
@p touch s r
virtio_mem 0
@p exit
unlink /shm/x
